"""What customers are told by mail or WeChat: rows of core.Notification, sent from the row and never from a request.

`kinds` is the list of what can be said (apps register theirs), `outbox` sends the rows that are due, `letters` makes a
mail's words from templates/emails/, `mail` and `subscription` are the two ways out. Who writes the rows: vending's
notices, and orders' and payments' `news`, which read the events that were committed (ADR 17).
"""
