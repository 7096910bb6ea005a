"""The catalogue's addresses: the start page, pictures by signed link, the studio."""

from django.urls import path

from catalog.views import pages, pictures, studio

_SESSION = "studio/s/<str:session_id>/"

urlpatterns = [
    path("", pages.home, name="home"),
    path("studio/", pages.choose, name="studio-home"),
    path("pictures/<str:token>.png", pictures.picture, name="picture"),
    path(_SESSION, studio.studio, name="studio"),
    path(f"{_SESSION}phone/", studio.phone, name="studio-phone"),
    path(f"{_SESSION}photo/", studio.photo, name="studio-photo"),
    path(f"{_SESSION}photo/<uuid:photo_id>/", studio.photo_copy, name="studio-photo-copy"),
    path(f"{_SESSION}layout/", studio.layout, name="studio-layout"),
    path(f"{_SESSION}preview.png", studio.preview, name="studio-preview"),
]
