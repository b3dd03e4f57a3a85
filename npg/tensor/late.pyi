from npg.tensor import (
    casts as casts,
    copies as copies,
    exchange as exchange,
    layouts as layouts,
    memory as memory,
    printing as printing,
)
