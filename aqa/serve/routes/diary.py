"""Show the diary of all athletes, or of one: the page that `aqa diary --html` writes."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aqa.serve.project_files import DIARY
from aqa.serve.routes.files import own_page
from aqa.serve.serving import serving_of
from heads.pages.rendering import render_page

NAV = ("Diary", DIARY)


def diary(request: Request) -> Response:
    """Show the attempts of `athlete`, or of all athletes, as the table of scores and the run are now."""
    from heads.attempts.diary import diaries_of  # imports torch, for seconds
    from heads.attempts.diary_page_content import diary_page
    from heads.attempts.of_project import read_project_attempts

    serving = serving_of(request)
    dataset, attempts = read_project_attempts(serving.project)
    diaries = diaries_of(attempts, request.query_params.get("athlete"))
    page = diary_page(diaries, attempts, dataset=dataset.name, path=serving.folder / "diary")
    return own_page(render_page("diary.html", {"page": page}), scripts=())


ROUTES = (Route(DIARY, diary),)
