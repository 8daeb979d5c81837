"""Uploads: the body of the request is the file, its name stands in the address."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aqa.serve.incoming import UploadRefused, check_size, incoming_folder, receive, safe_name, take_in
from aqa.serve.serving import serving_of
from aqa_pipeline.disk.error_text import explain_disk_error

NAV = None


async def upload(request: Request) -> Response:
    """Take a video in and, if the project has a run, add the job that scores it; answer as JSON."""
    serving = serving_of(request)
    try:
        name = safe_name(request.query_params.get("name", ""))
        stated = request.headers.get("content-length", "")
        check_size(serving, int(stated) if stated.isdecimal() else 0)
        with incoming_folder(serving) as folder:
            digest = await receive(serving, request.stream(), folder / name)
            arrived = await run_in_threadpool(take_in, serving, folder / name, digest)
    except UploadRefused as error:
        return JSONResponse({"reason": str(error)}, error.status_code)
    except OSError as error:
        words = explain_disk_error(error)
        if words is None:
            raise
        return JSONResponse({"reason": words}, 507)
    except ClientDisconnect:
        return JSONResponse({"reason": "the upload was broken off."}, 400)
    has_run = serving.summary.is_file()
    if has_run:
        serving.worker.queue.add("score", arrived.video)
    facts = {"video": arrived.video, "seconds": arrived.look.seconds, "is_scored": has_run}
    return JSONResponse(facts, 201)


ROUTES = (Route("/upload", upload, methods=["POST"]),)
