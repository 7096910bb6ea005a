"""Orders' addresses: packs and plans, the summary before paying at a machine, the status page by signed link."""

from django.urls import path

from orders.views import goods, missing, spending, status, summary

urlpatterns = [
    path("credits/", goods.credits, name="credits"),
    path("credits/<slug:sku>/", goods.buy_pack, name="buy-pack"),
    path("plans/", goods.plans, name="plans"),
    path("plans/<slug:sku>/", goods.buy_plan, name="buy-plan"),
    path("studio/s/<str:session_id>/summary/", summary.summary, name="summary"),
    path("studio/s/<str:session_id>/summary/online/", summary.online, name="summary-online"),
    path("studio/s/<str:session_id>/summary/credits/", spending.credits, name="summary-credits"),
    path("orders/<str:order_no>/", status.status, name="order-status"),
    path("orders/<str:order_no>/missing/", missing.missing, name="order-missing"),
    path("orders/<str:order_no>/machine/", status.choose_machine, name="order-machine"),
    path("orders/<str:order_no>/live/", status.status_fragment, name="order-status-fragment"),
]
