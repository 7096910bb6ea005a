"""Demo trouble with designs that people show to others (payments.services.trouble has the rest). Guarantees as there."""

from __future__ import annotations

import uuid

from catalog import selectors as catalogue
from catalog.models import Draft
from catalog.services import drafts, sharing, takedowns
from catalog.services import studio as designing
from payments.services.trouble import shopper, trouble


@trouble("design_reported")
def _reported() -> None:
    """Bob shows a case with somebody else's sign on it, and somebody has reported it."""
    draft = drafts.begin(keeper=f"user:{shopper('bob').pk}", draft_id=uuid.uuid4())
    _design(draft)
    takedowns.report(sharing.share(draft).token)


def _design(draft: Draft) -> None:
    shell = catalogue.find_shell(model_id="MM020250224000010", shell_id="MS102503270003")
    words = {
        "kind": "text",
        "text": "Famous Brand",
        "font": "latin",
        "cx": 36,
        "cy": 90,
        "size": 9,
        "color": "#111111",
    }
    layout = {"version": 1, "template": None, "background": "#ffcf24", "items": [words]}
    designing.save(owner=draft.owner, shell=shell, layout=layout, accept_low_resolution=False)
