"""The floor's views: a ping, one INSERT that is committed before the answer, and a page that is only a template."""

from __future__ import annotations

import json

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from bench.floor import purchases

OK = '{"msg":"操作成功","code":200,"data":"success"}'.encode()
LENGTH = {"Content-Length": str(len(OK))}


@csrf_exempt
def store(request: HttpRequest) -> HttpResponse:
    body = request.body
    said = json.loads(body)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO event (subject, status, payload, received_at) VALUES (%s, %s, %s, %s)",
            [said["third_id"], str(said["status"]), body.decode(), timezone.now()],
        )
    return HttpResponse(OK, content_type="application/json", headers=LENGTH)


@csrf_exempt
def store_event(request: HttpRequest) -> HttpResponse:
    """The same for a post that has an id of its own."""
    body = request.body
    said = json.loads(body)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO event (subject, status, payload, received_at) VALUES (%s, %s, %s, %s)",
            [said["id"], said["type"][:16], body.decode(), timezone.now()],
        )
    return HttpResponse(OK, content_type="application/json", headers=LENGTH)


@csrf_exempt
def ping(request: HttpRequest) -> HttpResponse:
    json.loads(request.body)
    return HttpResponse(OK, content_type="application/json", headers=LENGTH)


#: One row of it is as long as a line of a usual page, with three things put in.
PAGE = Engine().from_string(
    "<!doctype html><html lang=en><title>{{ title }}</title><body>{% for row in rows %}"
    '<p class="{{ row.kind }}"><a href="/{{ row.kind }}/">{{ row.name }}</a> {{ row.text }}</p>\n{% endfor %}</body></html>'
)
ROW = {
    "kind": "something",
    "name": "a name of usual length",
    "text": "and what there is to say about it, in one line",
}
ROW_LENGTH = 128


def page(request: HttpRequest, length: int) -> HttpResponse:
    """A page of about that many bytes, drawn anew for each request."""
    return HttpResponse(PAGE.render(Context({"title": "A page", "rows": [ROW] * (length // ROW_LENGTH)})))


urlpatterns = [
    path("page/<int:length>", page),
    path("store", store),
    path("store-event", store_event),
    path("ping", ping),
    path("purchases", purchases.Create.as_view()),
]
