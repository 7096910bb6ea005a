"""The catalogue's addresses: the start page, pictures by signed link, the studio at home and at a machine."""

from django.urls import URLPattern, path

from catalog.views import home, pages, pictures, shared, studio

_SESSION = "studio/s/<str:session_id>/"
_HOME = "studio/h/<uuid:draft_id>/"


def _studio(at: str, name: str) -> list[URLPattern]:
    """One studio with all its parts."""
    return [
        path(at, studio.studio, name=name),
        path(f"{at}phone/", studio.phone, name=f"{name}-phone"),
        path(f"{at}photo/", studio.photo, name=f"{name}-photo"),
        path(f"{at}photo/<uuid:photo_id>/", studio.photo_copy, name=f"{name}-photo-copy"),
        path(f"{at}layout/", studio.layout, name=f"{name}-layout"),
        path(f"{at}preview.png", studio.preview, name=f"{name}-preview"),
    ]


urlpatterns = [
    path("", pages.home, name="home"),
    path("help/", pages.help_page, name="help"),
    path("studio/", home.index, name="studio-home"),
    path("studio/new/", home.new, name="studio-new"),
    path("studio/go/<str:token>/", home.link, name="draft-link"),
    *_studio(_HOME, "home-studio"),
    path(f"{_HOME}ready/", home.ready, name="home-studio-ready"),
    *_studio(_SESSION, "studio"),
    path(f"{_SESSION}from-home/", home.bring, name="studio-from-home"),
    path("account/designs/", home.mine, name="account-designs"),
    path("d/<str:token>/", shared.page, name="shared"),
    path("d/<str:token>/report/", shared.report, name="shared-report"),
    path("d/<str:token>/case.png", shared.case, name="shared-case"),
    path("d/<str:token>/card.png", shared.card, name="shared-card"),
    path("pictures/<str:token>.png", pictures.picture, name="picture"),
    path("pictures/<str:token>.webp", pictures.page_picture, name="page-picture"),
]
