"""Providers that answer at once and in process (no network, and no record of a call), and limits that nobody reaches."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from payments.gateways import base, machine, stripe


def _says_paid(self: machine.MachineGateway, ref: base.PaymentRef) -> base.PaymentResult:
    return base.PaymentResult(
        status=base.PaymentStatus.SUCCEEDED, raw={}, out_trade_no=ref.out_trade_no, account=self.account,
        live=self.live, provider_status="3",
    )  # fmt: skip


@contextmanager
def paid() -> Iterator[None]:
    """The manufacturer says "paid", for a while."""
    before = machine.MachineGateway.query_payment
    always_paid()
    try:
        yield
    finally:
        machine.MachineGateway.query_payment = before  # type: ignore[method-assign]


def always_paid() -> None:
    """The manufacturer says "paid", for the rest of this process."""
    machine.MachineGateway.query_payment = _says_paid  # type: ignore[method-assign]


def _created(self: stripe.StripeGateway, request: base.PaymentRequest) -> base.PaymentResult:
    return base.PaymentResult(
        status=base.PaymentStatus.REQUIRES_ACTION, provider_ref=f"cs_{request.out_trade_no}",
        next_action=base.Redirect(url="https://checkout.example.com/pay"), out_trade_no=request.out_trade_no,
        account=self.account, live=self.live, provider_status="open",
    )  # fmt: skip


def stripe_at_once() -> None:
    """Stripe makes whatever it is asked for, for the rest of this process."""
    stripe.StripeGateway.create_payment = _created  # type: ignore[method-assign]


def no_limits() -> None:
    """Limits of the API and of pages are counted and never reached, for the rest of this process: one key sends thousands
    of requests, and all processes of a run share the counters."""
    from catalog.views import doors as studio
    from orders.views import status
    from payments.api import doors

    for module, name in (
        (doors, "PER_ADDRESS"), (doors, "WRITE_PER_SERVER"), (studio, "LOOK_PER_SESSION"), (status, "READ_PER_SESSION"),
    ):  # fmt: skip
        setattr(module, name, replace(getattr(module, name), count=10**9))


def tell(what: str) -> None:
    """Tell the bench (BENCH_EAR, a port of loopback) that `what` has been reached, this very moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.sendto(what.encode(), ("127.0.0.1", int(os.environ["BENCH_EAR"])))


def _tells(self: machine.MachineGateway, ref: base.PaymentRef) -> base.PaymentResult:
    tell(ref.out_trade_no)
    return _says_paid(self, ref)


def told_of_each_call() -> None:
    """The manufacturer says "paid" and the bench hears of each question, for the rest of this process."""
    machine.MachineGateway.query_payment = _tells  # type: ignore[method-assign]
