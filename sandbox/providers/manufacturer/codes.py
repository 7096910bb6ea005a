"""The manufacturer's numbers and words, and what can go wrong with it. From its document; no behaviour here."""

from sandbox.faults import Kind

NAME = "manufacturer"

PAY_AT_MACHINE = 5
PAY_ONLINE = 12
PAY_TYPES = range(13)

WAITING, PAYING, PAID, FAILED, ABNORMAL = 1, 2, 3, 4, 5
PAYMENT_WORDS = {
    WAITING: "Waiting for payment",
    PAYING: "Paying",
    PAID: "Paid",
    FAILED: "Failed",
    ABNORMAL: "Abnormal",
}

ORDER_PAID, TO_PRINT, PICKING_UP, PICKED_UP, PRINTING, PRINTED = 4, 8, 9, 10, 11, 12
PRINT_FAILED, PRINT_CANCELLED, DISPENSING, DISPENSED = 13, 14, 15, 16
ORDER_WORDS = {
    ORDER_PAID: "Order received",
    TO_PRINT: "Waiting to print",
    PICKING_UP: "Taking a blank case",
    PICKED_UP: "Blank case taken",
    PRINTING: "Printing",
    PRINTED: "Printed",
    PRINT_FAILED: "Print failed",
    PRINT_CANCELLED: "Print cancelled",
    DISPENSING: "Dispensing",
    DISPENSED: "Ready to take",
}
ORDER_FINAL = (DISPENSED, PRINT_FAILED, PRINT_CANCELLED)
AN_UNKNOWN_STATUS = 99

CALLS = (
    "user/login", "brand/list", "stock/list", "shop/list", "goods/list", "order/payData", "order/payStatus",
    "order/getPayStatus", "order/orderData", "order/getOrderStatus", "order/printList", "file/upload",
)  # fmt: skip
PAYMENT_POST, ORDER_POST = "post/payStatus", "post/orderStatus"
POSTS = (PAYMENT_POST, ORDER_POST)

FAULTS = (
    Kind("slow", "Calls are answered late", CALLS, seconds=5),
    Kind("down", "Calls are answered 503", CALLS),
    Kind("dropped", "The connection is dropped before anything is done", CALLS),
    Kind(
        "answer_lost_after_accepting",
        "The work is done, then the connection is dropped",
        CALLS,
        usual=("order/payData", "order/payStatus", "order/orderData"),
    ),
    Kind(
        "error_after_accepting",
        "The work is done, then the answer is 500",
        CALLS,
        usual=("order/payData", "order/payStatus", "order/orderData"),
    ),
    Kind("duplicate_id_accepted", "A repeated third_id gets the first answer again instead of a refusal",
         ("order/payData", "order/orderData")),
    Kind("token_expired", "The token is void: code 401", CALLS[1:]),
    Kind("single_token", "A new log-in voids earlier tokens"),
    Kind("out_of_stock", "No shell left", ("stock/list", "order/payData", "order/orderData")),
    Kind("device_unavailable", "The machine is offline", ("order/orderData", "order/payData", "stock/list"),
         usual=("order/orderData",)),
    Kind("printer_out", "The printer stands still; jobs resume when it is back", counted=False),
    Kind("printer_out_status_13", "The printer stands still and reports status 13; jobs resume when it is back",
         counted=False),
    Kind("print_failed", "A print fails for good: status 13"),
    Kind("picture_refused", "A fetched picture counts as broken"),
    Kind("wrong_amount", "Payment posts carry another amount", (PAYMENT_POST,)),
    Kind("unknown_status", "Status 99 is reported", ("order/getPayStatus", "order/getOrderStatus", *POSTS)),
    Kind("duplicate_webhook", "A post arrives twice", POSTS, seconds=0.5),
    Kind("late_webhook", "A post arrives late", POSTS, seconds=30),
    Kind("lost_webhook", "A post never arrives", POSTS),
    Kind("reordered", "An older state is posted after a newer one", POSTS, seconds=2),
    Kind("array_body", "The payment post is an array, as documented", (PAYMENT_POST,)),
    Kind("object_body", "The payment post is one object with every documented field", (PAYMENT_POST,)),
)  # fmt: skip
