"""The sandbox's pages: what the machine's screen shows when, its buttons, the bay, the switchboard, both languages."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

import sandbox
from sandbox.pages.words import CHINESE
from sandbox.providers.manufacturer import codes
from tests.sandbox.conftest import DEVICE, Partner, StandInShop

SCREEN = f"/manufacturer/machine/{DEVICE}/"
PYEN, OREN = "PYEN250830540573", "OREN250830540573"
SESSION = "CXYLOGD8OQUK_20250830_075329_A2440143"


class Visitor:
    """A browser without a script: keeps cookies, fills in the page's own form."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = requests.Session()
        self.http.trust_env = False

    def get(self, path: str) -> str:
        answer = self.http.get(self.base_url + path, timeout=10)
        assert answer.status_code == 200
        return answer.text

    def kind(self) -> str:
        found = re.search(r'data-kind="(\w+)"', self.get(SCREEN))
        assert found
        return found[1]

    def press(self, button: str, third_id: str = "") -> requests.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(SCREEN))
        body = {"button": button, "third_id": third_id, "csrfmiddlewaretoken": token[1] if token else ""}
        return self.http.post(f"{self.base_url}{SCREEN}press/", data=body, timeout=10)


@pytest.fixture
def visitor(partner: Partner, stand_in_shop: StandInShop) -> Visitor:
    expires = f"{datetime.now(UTC) + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
    qr_url = f"https://shop.example/?qr=true&machine_id={DEVICE}&session_id={SESSION}"
    told = {"success": True, "session_id": SESSION, "qr_url": qr_url, "expires_at": expires}
    stand_in_shop.answers["/api/vending/create-session"] = (200, told)
    stand_in_shop.answers[f"/session/{SESSION}/status"] = (
        200,
        {"status": "active", "user_progress": "started"},
    )
    return Visitor(partner.sandbox.base_url)


def test_the_screen_asks_for_a_session_and_shows_its_code(
    visitor: Visitor, partner: Partner, stand_in_shop: StandInShop
) -> None:
    visitor.get(SCREEN)
    partner.sandbox.wait_for(lambda books: books["devices"][0]["session_id"] == SESSION)
    shown = visitor.get(SCREEN)
    assert f"machine_id={DEVICE}&amp;session_id={SESSION}" in shown
    assert "<svg" in shown
    (sent,) = stand_in_shop.posts("/api/vending/create-session")
    assert (
        sent
        == f'{{"machine_id":"{DEVICE}","location":"Shopping Mall A","session_timeout_minutes":30}}'.encode()
    )
    stand_in_shop.answers[f"/session/{SESSION}/status"] = (
        200,
        {"status": "designing", "user_progress": "designing"},
    )
    partner.sandbox.wait_for(lambda books: books["devices"][0]["session_progress"] == "designing")
    assert visitor.kind() == "claimed"


@pytest.mark.parametrize(("status", "told"), [(410, {}), (404, {}), (200, {"status": "payment_completed"})])
def test_a_session_that_is_over_is_renewed(
    visitor: Visitor, partner: Partner, stand_in_shop: StandInShop, status: int, told: dict
) -> None:
    visitor.get(SCREEN)
    partner.sandbox.wait_for(lambda books: books["devices"][0]["session_id"] == SESSION)
    stand_in_shop.answers[f"/session/{SESSION}/status"] = (status, told)
    partner.sandbox.wait_for(lambda books: books["calls"].get("out machine/create-session", 0) >= 2)


def test_a_refused_session_is_shown(visitor: Visitor, partner: Partner, stand_in_shop: StandInShop) -> None:
    stand_in_shop.answers["/api/vending/create-session"] = (429, {"detail": "too many"})
    visitor.get(SCREEN)
    partner.sandbox.wait_for(lambda books: books["devices"][0]["session_problem"] == "HTTP 429")
    assert "HTTP 429" in visitor.get(SCREEN)


def test_from_ready_to_pay_to_the_number(
    visitor: Visitor, partner: Partner, stand_in_shop: StandInShop
) -> None:
    partner.pay_data(PYEN)
    shown = visitor.get(SCREEN)
    assert visitor.kind() == "pay"
    assert 'data-amount="19.99"' in shown
    assert visitor.press("card", PYEN).ok
    partner.sandbox.wait_for(lambda books: books["payments"][0]["status"] == 3)
    assert visitor.kind() == "preparing"
    queue_no = partner.order_data(OREN, PYEN, f"{stand_in_shop.url}/a.png")["data"]["queue_no"]
    assert visitor.kind() == "number"
    assert f'data-queue-no="{queue_no}"' in visitor.get(SCREEN)
    digest = hashlib.sha256(stand_in_shop.picture).hexdigest()
    partner.sandbox.wait_for(lambda books: books["fetches"])
    bay = visitor.get(f"{SCREEN}bay/")
    assert f'data-order="{OREN}"' in bay
    assert 'width="98" height="192"' in bay
    assert visitor.http.get(f"{visitor.base_url}/manufacturer/pictures/{digest}", timeout=9).content == (
        stand_in_shop.picture
    )


def test_the_other_buttons(visitor: Visitor, partner: Partner) -> None:
    partner.pay_data(PYEN)
    visitor.press("walk_away", PYEN)
    assert visitor.kind() != "pay"
    assert partner.sandbox.books()["payments"][0]["status"] == 1
    partner.pay_data("PYEN250830000002")
    visitor.press("declined", "PYEN250830000002")
    assert visitor.kind() == "declined"
    partner.pay_data("PYEN250830000003")
    visitor.press("cash", "PYEN250830000003")
    states = [payment["status"] for payment in partner.sandbox.books()["payments"]]
    assert states == [1, 4, 3]
    visitor.press("cash", "PYEN250830000002")  # final: nothing happens
    assert [payment["status"] for payment in partner.sandbox.books()["payments"]] == states


def test_a_press_from_another_site_is_refused(visitor: Visitor, partner: Partner) -> None:
    partner.pay_data(PYEN)
    body = {"button": "cash", "third_id": PYEN}
    assert requests.post(f"{visitor.base_url}{SCREEN}press/", data=body, timeout=9).status_code == 403
    assert partner.sandbox.books()["payments"][0]["status"] == 1


def test_the_live_part_is_sent_only_when_it_changed(visitor: Visitor, partner: Partner) -> None:
    partner.pay_data(PYEN)
    part = f"{visitor.base_url}{SCREEN}part/"
    first = visitor.http.get(part, timeout=9)
    assert first.status_code == 200
    again = visitor.http.get(part, params={"have": first.headers["X-State"]}, timeout=9)
    assert (again.status_code, again.content) == (204, b"")


PAGES = [SCREEN, f"{SCREEN}bay/", "/sandbox/", "/sandbox/faults/", "/sandbox/calls/"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_keep_the_strict_policy_and_speak_both_languages(visitor: Visitor, path: str) -> None:
    answer = visitor.http.get(visitor.base_url + path, timeout=9)
    assert (
        "default-src 'none'; script-src 'self'; style-src 'self'" in answer.headers["Content-Security-Policy"]
    )
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", answer.text)
    assert '<html lang="en">' in answer.text
    chinese = visitor.get(f"{path}?lang=zh")
    assert '<html lang="zh-Hans">' in chinese
    assert "沙盒" in chinese


def test_every_text_has_its_chinese() -> None:
    templates = Path(sandbox.__file__).parent / "templates"
    texts = {text for path in templates.rglob("*.html")
             for text in re.findall(r"""\{% t ["']([^"']+)["'] %\}""", path.read_text("utf-8"))}  # fmt: skip
    texts |= {kind.title for kind in codes.FAULTS} | set(codes.ORDER_WORDS.values())
    assert len(texts) > 90
    assert texts - set(CHINESE) == set()


def test_the_switchboard_page(visitor: Visitor, partner: Partner) -> None:
    def post(**body: str) -> int:
        shown = visitor.get("/sandbox/faults/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown)
        sent = {"provider": "manufacturer", "csrfmiddlewaretoken": token[1] if token else ""} | body
        return visitor.http.post(f"{visitor.base_url}/sandbox/faults/", data=sent, timeout=9).status_code

    assert post(name="slow", on="1", count="2", seconds="0.1", target="brand/list") == 200
    (fault,) = partner.sandbox.books()["faults"]
    assert (fault["name"], fault["target"], fault["is_on"], fault["count"]) == ("slow", "brand/list", 1, 2)
    assert post(name="slow", on="0", target="brand/list") == 200
    assert partner.sandbox.books()["faults"][0]["is_on"] == 0
    assert post(name="slow", on="1", count="many") == 400
    assert post(name="printer_out", on="1", count="1") == 400
    assert [fault["name"] for fault in partner.sandbox.books()["faults"]] == ["slow"]


def test_a_page_of_an_unknown_machine_is_404(visitor: Visitor) -> None:
    for path in (
        "/manufacturer/machine/NOBODYS/",
        "/manufacturer/machine/NOBODYS/bay/",
        "/manufacturer/pictures/x",
    ):
        assert visitor.http.get(visitor.base_url + path, timeout=9).status_code == 404
