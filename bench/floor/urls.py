"""The floor's two views: a ping, and one INSERT that is committed before the answer."""

from __future__ import annotations

import json

from django.db import connection
from django.http import HttpRequest, HttpResponse
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


urlpatterns = [
    path("store", store),
    path("store-event", store_event),
    path("ping", ping),
    path("purchases", purchases.Create.as_view()),
]
