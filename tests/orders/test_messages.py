"""What buyers read: exact subjects and texts, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from orders.services import messages
from pimpshop.core.notifications import kinds, letters

EMAILS = Path(settings.BASE_DIR) / "templates" / "emails"
LANGUAGES = ("en", "zh-hans")


def written(kind: str, language: str, **changes: object) -> letters.Written:
    with translation.override(language):
        found = kinds.find(kind)
        assert found is not None
        return letters.write(kind, language, {**found.sample(), **changes})


SUBJECTS = {
    "paid": ("Paid: £19.99 for your order", "已付款：您的订单 £19.99"),
    "case_accepted": ("Your case is being printed: number A17", "手机壳正在打印：A17 号"),
    "case_printed": ("Your case is ready: number A17", "手机壳已打印完成：A17 号"),
    "case_late": ("Your case takes a little longer", "您的手机壳需要多等一会儿"),
    "case_delayed": ("Your case could not be printed so far", "您的手机壳尚未打印成功"),
    "print_unclaimed": ("Your paid case waits for a machine", "您已付款的手机壳还未选择机器"),
    "credits_granted": ("Paid: 500 credits on your account", "已付款：500 积分已到账"),
    "plan_began": ("Paid: your plan has begun", "已付款：您的套餐已生效"),
    "giving_back": ("Your case is not printed: £19.99 comes back", "手机壳不再打印：£19.99 将退还"),
    "refunded": ("Your money was given back: £19.99", "已全额退款：£19.99"),
    "webhook_endpoint_off": ("Your webhook endpoint was switched off", "您的 Webhook 端点已停用"),
}


def test_every_kind_is_here_and_has_its_two_files() -> None:
    assert {kind.name for kind in kinds.everything()} == set(SUBJECTS)
    files = {path.name for path in EMAILS.glob("*.txt")}
    assert files == {f"{name}{end}.txt" for name in SUBJECTS for end in ("", ".zh-hans")}


@pytest.mark.parametrize("kind", SUBJECTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_subjects_and_shape(kind: str, language: str) -> None:
    made = written(kind, language)
    assert made.subject == SUBJECTS[kind][LANGUAGES.index(language)]
    assert "\n\n\n" not in made.text
    assert not re.search(r"[{}%]|None|&\w+;", made.text.replace("%20", ""))
    chinese = re.findall(r"[\u4e00-\u9fff]", made.text)
    assert bool(chinese) is (language == "zh-hans")
    assert not re.search(r"<style|style=|<img|<script", made.html)
    assert f'<html lang="{language}">' in made.html
    assert f"<h1>{made.subject}</h1>" in made.html


def test_paid_in_english() -> None:
    assert written("paid", "en", place="Kiosk 3, Central Station").text == (
        "Thank you. We have your payment.\n\n"
        "iPhone 15 Pro · Natural titanium: £19.99\n"
        "Total: £19.99\n"
        "Order number: P202511201011120a1b2c3d\n\n"
        "Your case goes to the printer now (Kiosk 3, Central Station). This page shows where it stands:\n"
        "http://127.0.0.1:8000/orders/P202511201011120a1b2c3d/?k=…\n\n"
        "Your receipt, ready to print:\n"
        "http://127.0.0.1:8000/orders/P202511201011120a1b2c3d/receipt/?k=…\n\n"
        "pimpshop · http://127.0.0.1:8000\n"
        "This message was sent once, because of your order P202511201011120a1b2c3d. Nobody reads replies to it.\n"
    )


def test_paid_in_chinese() -> None:
    assert written("paid", "zh-hans", place="").text == (
        "谢谢，我们已收到您的付款。\n\n"
        "iPhone 15 Pro · 原色钛金属：£19.99\n"
        "合计：£19.99\n"
        "订单号：P202511201011120a1b2c3d\n\n"
        "您的手机壳即将开始打印。此页面显示最新进度：\n"
        "http://127.0.0.1:8000/orders/P202511201011120a1b2c3d/?k=…\n\n"
        "您的收据（可打印）：\n"
        "http://127.0.0.1:8000/orders/P202511201011120a1b2c3d/receipt/?k=…\n\n"
        "pimpshop · http://127.0.0.1:8000\n"
        "本邮件因您的订单 P202511201011120a1b2c3d 自动发送，仅发送一次，请勿回复。\n"
    )


def test_paid_at_home_asks_for_a_machine() -> None:
    assert "Now choose the machine that shall print your case:\n" in written("paid", "en", chooses=True).text
    assert "请选择打印手机壳的机器：\n" in written("paid", "zh-hans", chooses=True).text


def test_being_printed() -> None:
    body = written("case_accepted", "en").text.partition("\n\niPhone")[0]
    assert body == (
        "The machine has taken your order.\n\nYour number: A17\nPick it up at: Kiosk 3, Central Station"
    )
    body = written("case_accepted", "zh-hans").text.partition("\n\niPhone")[0]
    assert body == "机器已收到您的订单。\n\n您的号码：A17\n取件地点：Kiosk 3, Central Station"
    made = written("case_accepted", "en", number="")
    assert (made.subject, "number" in made.text.lower().partition("iphone")[0]) == (
        "Your case is being printed",
        False,
    )


def test_late_says_that_nothing_is_lost() -> None:
    assert (
        "Your money and your design are safe. We try again by ourselves until it works, so there is nothing you have to do. "
        "Please do not pay again.\n"
    ) in written("case_late", "en").text
    assert (
        "您的付款和设计都很安全。我们会自动重试直到成功，您无需任何操作，请不要重复付款。\n"
        in written("case_late", "zh-hans").text
    )


def test_refunded_in_part_and_in_full() -> None:
    from pimpshop.core.money import Money

    part = {"in_full": False, "amount": Money(500, "GBP"), "so_far": None}
    made = written("refunded", "en", **part)
    assert made.subject == "A part of your money was given back: £5.00"
    assert made.text.startswith(
        "We gave back £5.00 the way that you paid. Banks may take a few days until you see it.\n\n"
        "Paid: £19.99\nGiven back now: £5.00\nOrder number: P202511201011120a1b2c3d\n\nYour order:\nhttp://"
    )
    rest = {"in_full": True, "amount": Money(1499, "GBP"), "so_far": Money(1999, "GBP"), "goods": True}
    made = written("refunded", "zh-hans", **rest)
    assert made.subject == "已部分退款：£14.99"
    assert made.text.startswith(
        "£14.99 已按原付款方式退还。银行入账可能需要几天。\n\n"
        "已付：£19.99\n本次退款：£14.99\n累计退款：£19.99\n订单号：P202511201011120a1b2c3d\n\n"
        "该款项购买的内容（积分、套餐时长）已相应收回。\n\n您的订单：\nhttp://"
    )
    made = written("refunded", "en", why="twice")
    assert made.subject == "Your second payment of £19.99 was given back"


def test_a_second_payment_comes_back() -> None:
    assert written("giving_back", "en", why="twice").subject == "You paid twice: £19.99 comes back"
    assert written("giving_back", "zh-hans", why="twice").subject == "您重复付款：£19.99 将退还"


def test_what_waits_for_an_address_says_how_to_get_it() -> None:
    made = written("credits_granted", "en", must_log_in=True)
    assert made.subject == "Paid: 500 credits wait for you"
    assert "500 credits are yours as soon as you log in with this e-mail address.\n" in made.text
    assert (
        "使用此邮箱地址登录后，500 积分即归您所有。\n"
        in written("credits_granted", "zh-hans", must_log_in=True).text
    )


def test_names_are_not_escaped_in_text_and_are_in_html() -> None:
    lines = [{"text": "Case <b>&", "sum": messages.sample()["amount"]}]
    made = written("paid", "en", lines=lines)
    assert "Case <b>&: £19.99\n" in made.text
    assert "Case &lt;b&gt;&amp;: £19.99<br>" in made.html


def test_a_subject_is_one_line() -> None:
    made = written("case_printed", "en", number="A\r\nBcc: x@example.com")
    assert made.subject == "Your case is ready: number A"
