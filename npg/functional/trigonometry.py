"""Trigonometric and hyperbolic functions, and their in-place forms."""

from __future__ import annotations

from npg.functional._forms import both
from npg.ops import trigonometry

# fmt: off
__all__ = [
    "acos", "acos_", "acosh", "acosh_", "arccos", "arccos_", "arccosh", "arccosh_", "arcsin", "arcsin_", "arcsinh",
    "arcsinh_", "arctan", "arctan2", "arctan2_", "arctan_", "arctanh", "arctanh_", "asin", "asin_", "asinh", "asinh_",
    "atan", "atan2", "atan2_", "atan_", "atanh", "atanh_", "cos", "cos_", "cosh", "cosh_", "deg2rad", "deg2rad_",
    "hypot", "hypot_", "rad2deg", "rad2deg_", "sin", "sin_", "sinc", "sinc_", "sinh", "sinh_", "tan", "tan_", "tanh",
    "tanh_",
]
# fmt: on


# ----- Trigonometric and hyperbolic -----

sin, sin_ = both(trigonometry.sin)
cos, cos_ = both(trigonometry.cos)
tan, tan_ = both(trigonometry.tan)
asin, asin_ = arcsin, arcsin_ = both(trigonometry.asin)
acos, acos_ = arccos, arccos_ = both(trigonometry.acos)
atan, atan_ = arctan, arctan_ = both(trigonometry.atan)
atan2, atan2_ = arctan2, arctan2_ = both(trigonometry.atan2)
sinh, sinh_ = both(trigonometry.sinh)
cosh, cosh_ = both(trigonometry.cosh)
tanh, tanh_ = both(trigonometry.tanh)
asinh, asinh_ = arcsinh, arcsinh_ = both(trigonometry.asinh)
acosh, acosh_ = arccosh, arccosh_ = both(trigonometry.acosh)
atanh, atanh_ = arctanh, arctanh_ = both(trigonometry.atanh)
deg2rad, deg2rad_ = both(trigonometry.deg2rad)
rad2deg, rad2deg_ = both(trigonometry.rad2deg)
hypot, hypot_ = both(trigonometry.hypot)
sinc, sinc_ = both(trigonometry.sinc)
