"""`python -m torch.distributed.launch`, torchrun's older name, under `npg run`; ranks are told by variables alone."""

from npg.distributed.run import main as main

if __name__ == "__main__":
    main()
