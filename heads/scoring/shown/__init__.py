"""What is shown of a scored video: pages, texts and files."""
