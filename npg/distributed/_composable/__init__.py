"""What libraries look for under this name. Source: torch.distributed._composable."""
