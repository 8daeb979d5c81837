"""The web app of a project on this machine: `aqa serve`.

A page or an action is a module with `ROUTES`, a sequence of `starlette.routing.Route`, and with `NAV`: the
words and the address for the bar at the top, or None. Its name stands in `app.ROUTE_MODULES`. A handler takes
the project from `serving_of(request)` and answers with `pages.render(request, "NAME.html", values)`. An
`AqaError` that it raises becomes a page with the message. `project_files.address_of` is where a page finds a
video.

Templates lie in `templates/`; styles and scripts lie in `static/` and are served as `/static/NAME`. The
Content-Security-Policy of pages forbids inline styles, inline scripts and the attribute `style`. `guard.py`
checks every request before a handler sees it; a form needs no token of its own.
"""
