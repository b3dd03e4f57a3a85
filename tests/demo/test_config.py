"""The command line: types, unknown keys, values that cannot be meant."""

import pytest
from config import DemoError, SampleConfig, TrainConfig, check_sampling, check_training, one_line, parse


def test_parse_given_keys_override_defaults_with_their_type():
    config, given = parse(TrainConfig, ["--n_layer=6", "--learning_rate=1", "--bias=True", "--out_dir=x=y"], "train.py")
    assert (config.n_layer, config.learning_rate, config.bias, config.out_dir) == (6, 1.0, True, "x=y")
    assert isinstance(config.learning_rate, float)
    assert given == {"n_layer", "learning_rate", "bias", "out_dir"}
    assert config.batch_size == 12


def test_parse_defaults_are_nanogpts_cpu_configuration():
    config, _ = parse(TrainConfig, [], "train.py")
    published = {"eval_iters": 20, "block_size": 64, "batch_size": 12, "n_layer": 4, "n_head": 4, "n_embd": 128}
    published |= {"max_iters": 2000, "lr_decay_iters": 2000, "dropout": 0.0, "learning_rate": 1e-3, "min_lr": 1e-4}
    published |= {"warmup_iters": 100, "beta2": 0.99, "weight_decay": 0.1, "grad_clip": 1.0, "bias": False}
    assert {key: getattr(config, key) for key in published} == published
    check_training(config)


def test_parse_nanogpts_own_cpu_flags_are_accepted():
    config, _ = parse(TrainConfig, ["--device=cpu", "--compile=False", "--dtype=float32"], "train.py")
    check_training(config)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--n_layers=6", "unknown argument '--n_layers=6'; did you mean --n_layer? --help lists the keys"),
        ("--colour=6", "unknown argument '--colour=6'; expected --key=value; --help lists the keys"),
        ("n_layer=6", "unknown argument 'n_layer=6'"),
        ("--n_layer", "--n_layer has no value"),
        ("--n_layer=6.5", "--n_layer: expected int, got '6.5'"),
        ("--n_layer=True", "--n_layer: expected int, got 'True'"),
        ("--n_layer=__import__('os')", "--n_layer: expected int"),
        ("--learning_rate=fast", "--learning_rate: expected float, got 'fast'"),
        ("--bias=1", "--bias: expected True or False, got '1'"),
    ],
)
def test_parse_wrong_argument_raises_with_the_value(argument, message):
    with pytest.raises(DemoError) as error:
        parse(TrainConfig, [argument], "train.py")
    assert message in str(error.value)


def test_parse_value_after_a_space_is_taken_as_after_an_equals_sign():
    spaced = [
        "--input",
        "my text",
        "--seed",
        "-1",
        "--bias",
        "True",
        "--eval_only",
        "--decay_lr",
        "False",
        "--out_dir=",
    ]
    config, given = parse(TrainConfig, spaced, "train.py")
    assert (config.input, config.seed, config.bias, config.eval_only) == ("my text", -1, True, True)
    assert (config.decay_lr, config.out_dir) == (False, "")
    assert given == {"input", "seed", "bias", "eval_only", "decay_lr", "out_dir"}
    with pytest.raises(DemoError, match="--input has no value; expected --input=<str>"):
        parse(TrainConfig, ["--input", "--seed=1"], "train.py")


def test_parse_key_given_twice_raises():
    with pytest.raises(DemoError, match="--seed is given twice: 1 and '2'"):
        parse(TrainConfig, ["--seed=1", "--seed=2"], "train.py")


def test_parse_help_lists_every_key_and_exits(capsys):
    with pytest.raises(SystemExit) as status:
        parse(TrainConfig, ["--help"], "train.py")
    assert status.value.code == 0
    assert "--learning_rate=0.001" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("learning_rate", float("nan"), "--learning_rate: expected a finite number above 0, got nan"),
        ("learning_rate", float("inf"), "--learning_rate: expected a finite number above 0, got inf"),
        ("learning_rate", 0.0, "--learning_rate: expected a finite number above 0, got 0.0"),
        ("min_lr", float("nan"), "--min_lr: expected a finite number of at least 0, got nan"),
        ("grad_clip", -1.0, "--grad_clip: expected a finite number of at least 0, got -1.0"),
        ("beta2", 1.0, "--beta2: expected a number in [0, 1), got 1.0"),
        ("dropout", float("nan"), "--dropout: expected a number in [0, 1), got nan"),
        ("batch_size", 0, "--batch_size: expected an integer of at least 1, got 0"),
        ("n_head", 3, "--n_embd: expected a multiple of --n_head, got 128 and 3"),
        (
            "lr_decay_iters",
            50,
            "--lr_decay_iters: expected at least --warmup_iters, got 50 and 100; lower --warmup_iters",
        ),
        ("seed", 2**64, f"--seed: expected an integer in [0, 2**64), got {2**64}"),
        ("init_from", "gpt2", "--init_from: expected scratch or resume, got 'gpt2'"),
        ("device", "cuda", "--device: expected cpu (npg computes with NumPy), got 'cuda'"),
        ("compile", True, "--compile: expected False (npg has no compiler), got True"),
        ("dtype", "bfloat16", "--dtype: expected float32, got 'bfloat16'"),
        ("gelu", "erf", "--gelu: expected none or tanh, got 'erf'"),
    ],
)
def test_check_training_impossible_value_raises_with_the_value(key, value, message):
    with pytest.raises(DemoError) as error:
        check_training(TrainConfig(**{key: value}))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("temperature", 0.0, "--temperature: expected a finite number above 0, got 0.0"),
        ("top_k", -1, "--top_k: expected an integer of at least 0, got -1"),
        ("num_samples", 0, "--num_samples: expected an integer of at least 1, got 0"),
        ("start", "", "--start: expected a prompt of at least one character, got ''"),
    ],
)
def test_check_sampling_impossible_value_raises_with_the_value(key, value, message):
    with pytest.raises(DemoError) as error:
        check_sampling(SampleConfig(**{key: value}))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DemoError("no good"), "x.py: error: no good"),
        (MemoryError("9 TiB"), "x.py: error: not enough memory (9 TiB); take smaller sizes"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            "x.py: error: not enough memory (DefaultCPUAllocator: can't allocate memory); take smaller sizes",
        ),
    ],
)
def test_one_line_an_error_of_the_user_becomes_the_exit_message(error, message):
    with pytest.raises(SystemExit) as status, one_line("x.py"):
        raise error
    assert status.value.code == message


def test_one_line_ctrl_c_is_said_with_the_status_of_the_signal(capsys):
    with pytest.raises(SystemExit) as status, one_line("x.py"):
        raise KeyboardInterrupt
    assert status.value.code == 130
    assert capsys.readouterr().err == "\nx.py: interrupted\n"


def test_one_line_other_errors_pass():
    for error in (ZeroDivisionError("by 0"), RuntimeError("expected 1-D input")):
        with pytest.raises(type(error), match=str(error)), one_line("x.py"):
            raise error
