"""Continue a prompt with a checkpoint of train.py.

python demo/nanogpt/sample.py --start="ROMEO:" --num_samples=2 --max_new_tokens=300
python demo/nanogpt/sample.py --start=FILE:prompt.txt --temperature=0.5 --top_k=10
"""

import sys
from pathlib import Path

import checkpoint
import npg
from config import DemoError, SampleConfig, check_sampling, one_line, parse
from dataset import decode, encode, first_prompt


def sample(config):
    """Return num_samples texts, each the prompt and its continuation.

    Args:
        config: a SampleConfig.
    Raises: DemoError: when the checkpoint cannot be used or the prompt has characters that are not in its vocabulary.
    """
    check_sampling(config)
    stored = checkpoint.Checkpoint(checkpoint.find(config.out_dir, config.checkpoint))
    prompt = config.start
    if prompt.startswith("FILE:"):
        file = prompt.removeprefix("FILE:")
        try:
            prompt = Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise DemoError(f"--start: cannot read {file} ({error.strerror}); give a text file") from error
        except ValueError as error:
            raise DemoError(f"--start: expected text in UTF-8, got {file} ({error}); save it as UTF-8") from error
        if not prompt:
            raise DemoError(f"--start: expected a prompt of at least one character, got the empty file {file}")
    elif prompt == SampleConfig.start:
        prompt = first_prompt(stored.vocabulary)
    try:
        tokens = encode(prompt, stored.vocabulary)
    except DemoError as error:
        raise DemoError(f"--start: {error}") from error
    model = stored.model()
    model.eval()
    npg.manual_seed(config.seed)
    idx = npg.tensor([tokens])  # (1, T)
    for _ in range(config.num_samples):
        out = model.generate(idx, config.max_new_tokens, config.temperature, config.top_k or None)  # (1, T + new)
        yield decode(out[0].tolist(), stored.vocabulary)


def main(arguments=None):
    """Run the command line; report errors in it in one line on standard error."""
    with one_line("sample.py"):
        config, _ = parse(SampleConfig, sys.argv[1:] if arguments is None else arguments, "sample.py")
        for text in sample(config):
            print(text, "-" * 20, sep="\n", flush=True)


if __name__ == "__main__":
    main()
