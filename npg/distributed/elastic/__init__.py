"""Names of torch.distributed.elastic that scripts for torchrun use. `npg run --nproc-per-node` is the launcher."""
