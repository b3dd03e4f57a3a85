"""What the scripts of demo/ share: options, the screen, files, curves. Plain PyTorch programs, like the scripts."""
