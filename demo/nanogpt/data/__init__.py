"""Token files live in one folder per dataset here; prepare.py makes them."""
