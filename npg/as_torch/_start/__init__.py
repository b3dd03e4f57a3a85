"""A folder that `npg run` puts on PYTHONPATH, so that Python itself reads sitecustomize.py before the user's script."""
