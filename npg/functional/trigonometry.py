"""Trigonometric and hyperbolic functions, and their in-place forms."""

from __future__ import annotations

from npg.functional._forms import expose
from npg.ops import trigonometry

# ----- Trigonometric and hyperbolic -----

sin, sin_ = expose(trigonometry.sin)
cos, cos_ = expose(trigonometry.cos)
tan, tan_ = expose(trigonometry.tan)
asin, asin_ = arcsin, arcsin_ = expose(trigonometry.asin)
acos, acos_ = arccos, arccos_ = expose(trigonometry.acos)
atan, atan_ = arctan, arctan_ = expose(trigonometry.atan)
atan2, atan2_ = arctan2, arctan2_ = expose(trigonometry.atan2)
sinh, sinh_ = expose(trigonometry.sinh)
cosh, cosh_ = expose(trigonometry.cosh)
tanh, tanh_ = expose(trigonometry.tanh)
asinh, asinh_ = arcsinh, arcsinh_ = expose(trigonometry.asinh)
acosh, acosh_ = arccosh, arccosh_ = expose(trigonometry.acosh)
atanh, atanh_ = arctanh, arctanh_ = expose(trigonometry.atanh)
deg2rad, deg2rad_ = expose(trigonometry.deg2rad)
rad2deg, rad2deg_ = expose(trigonometry.rad2deg)
hypot, hypot_ = expose(trigonometry.hypot)
sinc, sinc_ = expose(trigonometry.sinc)
