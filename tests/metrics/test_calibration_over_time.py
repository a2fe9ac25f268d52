"""Streaming metrics equal the plain functions on all samples in any batches, and wait for no device."""

import math
import pickle

import pytest
import torch

import snnlab.metrics as sm
from snnlab.metrics import CalibrationOverTime

T, N, K = 3, 120, 5
FUNCTIONS = {
    "acc": sm.accuracy,
    "nll": sm.negative_log_likelihood,
    "brier": sm.brier_score,
    "ece": sm.expected_calibration_error,
    "adaece": sm.adaptive_calibration_error,
    "cece": sm.classwise_calibration_error,
}


def make(seed=0, dtype=torch.float64, n=N):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(T, n, K, generator=generator, dtype=torch.float64) * 2
    noisy = logits.mean(0) + torch.randn(n, K, generator=generator, dtype=torch.float64)
    return logits.to(dtype), noisy.argmax(1)


def measure(logits, target, sizes, **options):
    meter = CalibrationOverTime(T, K, **options)
    start = 0
    for size in sizes:
        meter.update(logits[:, start : start + size], target[start : start + size])
        start += size
    assert start == logits.shape[1]
    return meter


def test_keys():
    values = measure(*make(), [N]).compute()
    per_step = {f"{m}_{r}/t{t}" for m in FUNCTIONS for r in ("step", "cum") for t in (1, 2, 3)}
    assert set(values) == per_step | set(FUNCTIONS)
    assert all(type(value) is float for value in values.values())
    for name in FUNCTIONS:
        assert values[name] == values[f"{name}_cum/t{T}"]


@pytest.mark.parametrize("include_lowest", [False, True])
def test_equals_the_functions_on_all_samples(include_lowest):
    logits, target = make()
    meter = measure(logits, target, [50, 1, 69], bins=10, include_lowest=include_lowest, mean_of_softmax=True)
    values = meter.compute()
    for t in range(1, T + 1):
        readings = {
            "step": logits[t - 1].softmax(1),
            "cum": logits[:t].mean(0).softmax(1),
            "cumprob": logits[:t].softmax(2).mean(0),
        }
        for reading, probs in readings.items():
            for name, function in FUNCTIONS.items():
                binned = name.endswith("ece")
                options = {"bins": 10, "include_lowest": include_lowest} if binned else {}
                expected = function(probs, target, **options).item()
                assert values[f"{name}_{reading}/t{t}"] == pytest.approx(expected, abs=1e-12), (
                    name,
                    reading,
                    t,
                )


@pytest.mark.parametrize("include_lowest", [False, True])
def test_equals_the_functions_where_probabilities_are_exactly_0_and_1(include_lowest):
    logits, target = make(dtype=torch.float32)
    logits *= 100
    probs = logits[0].softmax(1)
    assert (probs[torch.arange(N), target] == 0).any()
    assert (probs == 1).any()
    values = measure(logits, target, [N], include_lowest=include_lowest).compute()
    for name in ("ece", "adaece", "cece"):
        expected = FUNCTIONS[name](probs, target, include_lowest=include_lowest).item()
        assert values[f"{name}_step/t1"] == pytest.approx(expected, abs=1e-12), name


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_logits_are_measured_in_float32(dtype):
    logits, target = make(dtype=dtype)
    assert measure(logits, target, [N]).compute() == measure(logits.float(), target, [N]).compute()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("sizes", [[1] * N, [N - 1, 1], [7] * 17 + [1], [0, N, 0]])
def test_batching_does_not_matter(sizes, dtype):
    logits, target = make(dtype=dtype)
    whole = measure(logits, target, [N]).compute()
    for name, value in measure(logits, target, sizes).compute().items():
        assert value == pytest.approx(whole[name], abs=1e-12), name


def test_order_does_not_matter():
    logits, target = make()
    shuffled = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    whole = measure(logits, target, [N]).compute()
    for name, value in measure(logits[:, shuffled], target[shuffled], [N]).compute().items():
        assert value == pytest.approx(whole[name], abs=1e-12), name


def test_merge_is_one_meter_over_all_samples():
    logits, target = make()
    first = measure(logits[:, :31], target[:31], [31])
    second = pickle.loads(pickle.dumps(measure(logits[:, 31:], target[31:], [40, N - 71])))
    first.merge(second)
    for name, value in measure(logits, target, [N]).compute().items():
        assert first.compute()[name] == pytest.approx(value, abs=1e-12), name


def test_confusion_counts_true_against_predicted_classes():
    logits, target = make()
    predicted = logits.mean(0).argmax(1)
    expected = [[int(((target == a) & (predicted == b)).sum()) for b in range(K)] for a in range(K)]
    assert measure(logits, target, [50, 70]).confusion() == expected
    merged = measure(logits[:, :50], target[:50], [50])
    merged.merge(measure(logits[:, 50:], target[50:], [70]))
    assert merged.confusion() == expected


def test_merge_refuses_other_options():
    with pytest.raises(ValueError, match="merge"):
        CalibrationOverTime(T, K).merge(CalibrationOverTime(T, K, bins=10))


def test_equal_scores_predict_the_first_class():
    values = measure(torch.zeros(T, N, K), torch.arange(N) % K, [N]).compute()
    assert values["acc"] == 1 / K
    assert values["ece"] == pytest.approx(0, abs=1e-8)


def test_tiny_logits_are_told_apart_although_their_probabilities_are_not():
    logits = torch.zeros(T, 1, K)
    logits[:, 0, 3] = 1e-9
    assert measure(logits, torch.tensor([3]), [1]).compute()["acc_step/t1"] == 1


def test_extreme_logits_stay_finite():
    logits, target = make(dtype=torch.float32)
    values = measure(logits * 1e4, target, [N], mean_of_softmax=True).compute()
    assert all(math.isfinite(value) for value in values.values())


@pytest.mark.parametrize("sizes", [[N], [1] * N])
def test_nan_logits_make_their_step_and_what_follows_nan(sizes):
    logits, target = make()
    logits[1, 40, 2] = torch.nan
    values = measure(logits, target, sizes, mean_of_softmax=True).compute()
    for name in FUNCTIONS:
        for reading, bad in {"step": {2}, "cum": {2, 3}, "cumprob": {2, 3}}.items():
            found = {t for t in (1, 2, 3) if math.isnan(values[f"{name}_{reading}/t{t}"])}
            assert found == bad, (name, reading)


def test_reliability_describes_the_bins_of_the_ece():
    logits, target = make()
    meter = measure(logits, target, [100, 20], bins=8)
    values, diagram = meter.compute(), meter.reliability()
    assert list(diagram) == ["step", "cum"]
    confidence = logits[1].softmax(1).amax(1)
    for reading in diagram:
        for t in range(T):
            rows = [diagram[reading][key][t] for key in ("count", "confidence", "accuracy")]
            assert [len(row) for row in rows] == [8, 8, 8]
            filled = [row for row in zip(*rows, strict=True) if row[0]]
            assert sum(count for count, _, _ in filled) == N
            ece = sum(count * abs(conf - acc) for count, conf, acc in filled) / N
            assert ece == pytest.approx(values[f"ece_{reading}/t{t + 1}"], abs=1e-12)
    histogram = torch.histc(confidence, 8, 0, 1).tolist()
    assert diagram["step"]["count"][1] == histogram
    assert math.isnan(diagram["step"]["confidence"][1][histogram.index(0)])


def test_update_never_waits_for_the_device(no_waiting):
    logits, target = make()
    meter = CalibrationOverTime(T, K, mean_of_softmax=True)
    with no_waiting():
        meter.update(logits, target)
        meter.update(logits, target)
    with no_waiting(), pytest.raises(AssertionError, match="waits"):
        meter.compute()
    with no_waiting(), pytest.raises(AssertionError, match="waits"):
        bool(target.any())


@pytest.mark.gpu
def test_update_never_waits_for_a_gpu():
    logits, target = (tensor.cuda() for tensor in make())
    meter = CalibrationOverTime(T, K, mean_of_softmax=True).to("cuda")
    meter.update(logits, target)
    torch.cuda.set_sync_debug_mode("error")
    try:
        meter.update(logits, target)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    expected = measure(*make(), [N]).compute()
    for name, value in expected.items():
        assert meter.compute()[name] == pytest.approx(value, abs=1e-9), name


def test_update_takes_logits_that_need_a_gradient_and_inference_tensors():
    logits, target = make()
    meter = CalibrationOverTime(T, K)
    meter.update(logits.clone().requires_grad_(), target)
    with torch.inference_mode():
        meter.to("cpu").update(logits.clone(), target)
    meter.update(logits, target)
    expected = measure(logits, target, [N]).compute()
    assert meter.compute()["ece"] == pytest.approx(expected["ece"], abs=1e-12)


@pytest.mark.parametrize(
    ("logits", "target"),
    [
        (torch.zeros(T + 1, 2, K), torch.zeros(2, dtype=torch.long)),
        (torch.zeros(T, 2, K + 1), torch.zeros(2, dtype=torch.long)),
        (torch.zeros(T, 2, K), torch.zeros(3, dtype=torch.long)),
        (torch.zeros(T, 2, K), torch.zeros(2, K)),
    ],
)
def test_wrong_shapes_are_refused(logits, target):
    with pytest.raises(ValueError, match="expected logits"):
        CalibrationOverTime(T, K).update(logits, target)


def test_no_samples_and_no_steps_are_refused():
    with pytest.raises(ValueError, match="no samples"):
        CalibrationOverTime(T, K).compute()
    with pytest.raises(ValueError, match="0 steps"):
        CalibrationOverTime(0, K)
