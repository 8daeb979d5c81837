"""Pages and actions of the web app, one module for each."""
