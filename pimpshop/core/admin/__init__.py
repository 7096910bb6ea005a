"""The staff's desk: what its pages share, and core's own pages (staff items, evidence, messages).

Imported by Django's admin autodiscovery. Apps import the modules they need (`base`, `acting`, `words`, `questions`,
`timeline`, `dashboard`, `finding`); core imports no app, apps add panels, timeline sources and finders.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from pimpshop.core.admin import audit, evidence, items, messages, needs, second_person

admin.site.index_title = _("Overview")

__all__ = ["audit", "evidence", "items", "messages", "needs", "second_person"]
