"""States of a session at a machine, of the person's progress in it, and of a print job."""

from __future__ import annotations

from pimpshop.core import states

#: A session with a payment started never expires by time: only the provider's word or a person ends it.
SESSION = states.table(
    "vending session",
    "active",
    {
        "active": "designing payment_pending expired cancelled",
        "designing": "payment_pending expired cancelled",
        "payment_pending": "payment_completed payment_failed cancelled",
        "payment_completed": "",
        "payment_failed": "payment_pending payment_completed expired cancelled",
        "expired": "payment_completed",
        "cancelled": "payment_completed",
    },
    meanings={
        "active": "The QR code is shown or was scanned.",
        "designing": "Somebody works on a design.",
        "payment_pending": "The machine was told the amount; money may arrive from now on.",
        "payment_completed": "The manufacturer confirmed the payment.",
        "payment_failed": "The manufacturer said that the payment failed. It may be tried again.",
        "expired": "Nobody paid in time. A late payment is still honoured.",
        "cancelled": "Ended by a person or the machine. A late payment is still honoured.",
    },
)

PROGRESS = states.table(
    "user progress",
    "started",
    {
        "started": "qr_scanned designing design_complete payment_pending order_submitted",
        "qr_scanned": "designing design_complete payment_pending order_submitted",
        "designing": "design_complete payment_pending order_submitted",
        "design_complete": "designing payment_pending order_submitted",
        "payment_pending": "order_submitted payment_failed order_failed",
        "payment_failed": "designing design_complete payment_pending order_submitted order_failed",
        "order_failed": "order_submitted",
        "order_submitted": "order_failed",
    },
    meanings={
        "started": "The screen shows the QR code.",
        "qr_scanned": "A phone has opened it.",
        "designing": "Somebody works on a design.",
        "design_complete": "The design and its price are fixed.",
        "payment_pending": "The machine waits for the money.",
        "payment_failed": "The payment did not go through. It may be tried again.",
        "order_submitted": "The manufacturer took the order; there is a queue number.",
        "order_failed": "Paid, but the machine did not take the order for hours; staff are on it.",
    },
)

#: Each step at the manufacturer is a status: what is due next. The name says what is being attempted.
PRINT_JOB = states.table(
    "print job",
    "submitting",
    {
        "waiting": "announcing canceled",
        "announcing": "confirming gave_up canceled waiting",
        "confirming": "submitting gave_up canceled",
        "submitting": "accepted gave_up canceled",
        "accepted": "printing printed collected failed",
        "printing": "accepted printed collected failed",
        "printed": "collected failed submitting",
        "collected": "submitting",
        "failed": "announcing submitting printing printed collected canceled",
        "gave_up": "announcing confirming submitting accepted canceled",
        "canceled": "",
    },
    meanings={
        "waiting": "Paid at home: no machine chosen yet.",
        "announcing": "payData (pay_type 12) is due.",
        "confirming": "payStatus 3 is due.",
        "submitting": "orderData is due.",
        "accepted": "The manufacturer took the order (queue number known or on its way).",
        "printing": "The machine prints.",
        "printed": "The case is ready.",
        "collected": "The machine handed the case out; staff may have it printed once more.",
        "failed": "The machine could not print it; staff are on it.",
        "gave_up": "Tried for hours; staff are on it.",
        "canceled": "Ended by staff.",
    },
)
