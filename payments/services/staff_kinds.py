"""What can wait for a person about money and events (pimpshop.core.staff_kinds)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pimpshop.core.staff_kinds import Kind, Severity, register

UNKNOWN_KIND, LATE_KIND, DUE_KIND = "payment_unknown", "paid_late", "dispute_due"
FAILING_KIND, UNDELIVERED_KIND, REFUNDS_KIND = "payments_failing", "deliveries_failing", "refunds_unusual"
PRICES_KIND = "stripe_price_differs"
_NOTHING_MOVED = _("Nothing was moved. Compare with the provider's own page and decide.")

register(
    Kind(
        "surplus_payment", _("Paid too much: money is to be given back"),
        _(
            "Pay it back by hand at the machine's operator and mark the refund, or keep it as credits if the buyer agrees."
        ),
        Severity.URGENT, "payment",
        acts=("mark-paid-back", "keep-surplus", "pay-as-credits"),
    ),
    Kind(
        PRICES_KIND, _("Our price and the one at Stripe differ"),
        _("Nobody can pay for it on Stripe's page until they are the same. Set our price right, or make a new price at "
          "Stripe and write its id here."),
        leads="product",
    ),
    Kind(
        LATE_KIND, _("Paid after the order was over"),
        _("The order counts as paid again. Does the customer still want it? If not, pay it back."),
        leads="payment",
        acts=("accept-late", "refund", "pay-back", "mark-paid-back"),
    ),
    Kind(
        UNKNOWN_KIND, _("For 15 minutes nobody knows whether this was paid"),
        _("Check it now, and look at the provider's page. Never ask the customer to pay again meanwhile."),
        Severity.URGENT, "payment",
        acts=("check-now",),
    ),
    Kind(
        "payment_uncertain", _("Sent once without an answer, and refused since"),
        _("The machine may be asking for the money all the same. We go on asking for three days."),
        leads="payment",
        acts=("check-now",),
    ),
    Kind(
        "payment_mismatch", _("The provider's word does not fit the payment"),
        _(
            "Nothing was moved here. Look in the provider's own pages what was paid, give back there what is not for us, "
            "then resolve it and say so."
        ),
        Severity.URGENT, "payment",
        acts=("check-now",),
    ),
    Kind(
        "payment_odd_status", _("The provider gives a payment a status that we do not know"),
        _("It counts as not decided. Ask the provider if it stays so."),
        leads="payment",
        acts=("check-now",),
    ),
    Kind(
        "webhook_amount", _("A post names another amount than we asked for"),
        _("The provider confirmed the payment; compare the amount on the machine's side."),
        leads="payment",
    ),
    Kind(
        "refund_failed", _("A refund failed: the customer has not got the money"),
        _("Try again with Refund on the payment, or pay it back another way."),
        Severity.URGENT, "refund",
        acts=("refund", "pay-back", "mark-paid-back", "pay-back-as-credits"),
    ),
    Kind(
        "external_refund_not_ours", _("Money was paid back, and by none of us"),
        _("Change the provider's passwords and keys, and ask the provider who did it."),
        Severity.URGENT, "refund",
    ),
    Kind(
        "refund_stuck", _("A refund does not arrive"),
        _("The customer's bank or account did not take it. Send it another way in the provider's own pages."),
        leads="refund",
    ),
    Kind(
        "refund_uncertain", _("A refund was sent, and the provider does not say how it stands"),
        _("Do not pay it back another way before you looked at the provider's own page. We go on asking."),
        leads="refund",
    ),
    Kind(
        "refund_mismatch", _("The provider's word about a refund does not fit the payment"), _NOTHING_MOVED,
        leads="payment",
    ),
    Kind(
        "refund_while_printing", _("Paid back while the case was being sent to the machine"),
        _("Look whether the case is printed, and take it out of the machine."),
        Severity.URGENT, "order",
    ),
    Kind(
        "external_refund", _("Paid back in the provider's own pages"),
        _("It is recorded. Is the case still to be printed? Write down why it was done there."),
        leads="refund",
        acts=("was-ours", "was-not-ours"),
    ),
    Kind(
        "dispute_open", _("A buyer's bank asks for the money back"),
        _("Look at the order's history and answer in the provider's pages before the deadline."),
        leads="dispute",
        acts=("submit-evidence", "was-answered"),
    ),
    Kind(
        DUE_KIND, _("The deadline of a dispute is near"),
        _("Answer in the provider's own pages now. Without an answer it counts as lost."),
        Severity.URGENT, "dispute",
        acts=("submit-evidence", "was-answered"),
    ),
    Kind(
        "dispute_lost", _("The bank decided against us"),
        _("Nothing more is to be done about the money. Decide about the customer's account."),
        Severity.CALM, "dispute",
    ),
    Kind(
        "inbox_parked", _("An event of a provider could not be worked on"),
        _("Read its outcome, put that right, then process it again."),
        leads="event",
        acts=("process-again",),
    ),
    Kind(
        "reconcile_difference", _("A statement and our books differ"),
        _("Look at each difference and say why it is right, or put it right."),
        leads="statement",
        acts=("resolve",),
    ),
    Kind(
        "gateway_misuse", _("A provider refuses our requests"),
        _("Check its settings and credentials. Customers were told that nothing was charged."),
        Severity.URGENT,
    ),
    Kind(
        "gateway_resting", _("A provider does not answer: hidden from shoppers for now"),
        _("It comes back by itself. Payments that were started are still asked about."),
        leads="way to pay",
        acts=("switch-on", "switch-off"),
    ),
    Kind(
        "webhook_endpoint_off", _("Webhooks to a merchant were switched off"),
        _("Its owner misses events until it is switched on again; the list of events has them all."),
        leads="endpoint",
        acts=("switch-on",),
    ),
    Kind(
        "wechat_delivery_not_told", _("WeChat was not told of a delivery"),
        _("WeChat holds the money back until it knows. See why it refuses, put that right, then tell it again."),
        leads="payment",
        acts=("tell-again",),
    ),
    Kind(
        FAILING_KIND, _("Too many payments fail"),
        _("Look at the newest failures and at the provider's status page. Switch the way to pay off if it lasts."),
        Severity.URGENT, "way to pay",
    ),
    Kind(
        UNDELIVERED_KIND, _("Too many webhooks do not arrive at merchants"),
        _("Look at the failed deliveries. One merchant alone: tell them. All: look at our own network."),
    ),
    Kind(
        REFUNDS_KIND, _("Unusually many refunds"),
        _("Look who asked for them and why. Many by one person or for one machine: find out before more go out."),
        Severity.URGENT, "way to pay",
    ),
)  # fmt: skip
