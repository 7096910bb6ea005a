"""Services of the catalogue: designs and what they are made of. Plain functions; the rows are in catalog.models."""
