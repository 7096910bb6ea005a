"""django-oscar in the peers' interpreter: CPU milliseconds of placing one order of one product (DATABASE_URL).

Only what oscar itself does: basket with one line, prices, stock, `place_order`. No page, no payment, no mail: every doubt
counts for the peer.
"""

from __future__ import annotations

import os
import sys
import time

import dj_database_url
import django
from django.conf import settings

OSCAR = (
    "config.Shop", "apps.analytics.apps.AnalyticsConfig", "apps.checkout.apps.CheckoutConfig",
    "apps.address.apps.AddressConfig", "apps.shipping.apps.ShippingConfig", "apps.catalogue.apps.CatalogueConfig",
    "apps.catalogue.reviews.apps.CatalogueReviewsConfig", "apps.communication.apps.CommunicationConfig",
    "apps.partner.apps.PartnerConfig", "apps.basket.apps.BasketConfig", "apps.payment.apps.PaymentConfig",
    "apps.offer.apps.OfferConfig", "apps.order.apps.OrderConfig", "apps.customer.apps.CustomerConfig",
    "apps.search.apps.SearchConfig", "apps.voucher.apps.VoucherConfig", "apps.wishlists.apps.WishlistsConfig",
    "apps.dashboard.apps.DashboardConfig", "apps.dashboard.reports.apps.ReportsDashboardConfig",
    "apps.dashboard.users.apps.UsersDashboardConfig", "apps.dashboard.orders.apps.OrdersDashboardConfig",
    "apps.dashboard.catalogue.apps.CatalogueDashboardConfig", "apps.dashboard.offers.apps.OffersDashboardConfig",
    "apps.dashboard.partners.apps.PartnersDashboardConfig", "apps.dashboard.pages.apps.PagesDashboardConfig",
    "apps.dashboard.ranges.apps.RangesDashboardConfig", "apps.dashboard.reviews.apps.ReviewsDashboardConfig",
    "apps.dashboard.vouchers.apps.VouchersDashboardConfig",
    "apps.dashboard.communications.apps.CommunicationsDashboardConfig",
    "apps.dashboard.shipping.apps.ShippingDashboardConfig",
)  # fmt: skip
APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
    "django.contrib.sites", "django.contrib.flatpages", *(f"oscar.{name}" for name in OSCAR), "widget_tweaks",
    "haystack", "treebeard", "django_tables2",
]  # fmt: skip
LABELS = (
    "auth contenttypes sessions sites flatpages analytics checkout address shipping catalogue reviews communication "
    "partner basket payment offer order customer search voucher wishlists"
)


def configure() -> None:
    from oscar import defaults

    settings.configure(
        SECRET_KEY="for-benchmarks-only",
        INSTALLED_APPS=APPS,
        DATABASES={"default": dj_database_url.parse(os.environ["DATABASE_URL"])},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        MIGRATION_MODULES=dict.fromkeys(LABELS.split()),  # tables straight from the models
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        SITE_ID=1,
        USE_TZ=True,
        **{name: value for name, value in vars(defaults).items() if name.startswith("OSCAR_")},
    )
    django.setup()


def main(orders: int) -> None:
    configure()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    from oscar.test import factories

    product = factories.create_product(price=20, num_in_stock=1_000_000)
    spent = 0.0
    for number in range(orders + 3):
        started = time.process_time()
        basket = factories.create_basket(empty=True)
        basket.add_product(product)
        factories.create_order(number=f"bench{number}", basket=basket)
        if number >= 3:
            spent += time.process_time() - started
    print(f"={1000 * spent / orders}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
