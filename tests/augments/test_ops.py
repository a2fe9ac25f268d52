"""Every augmentation against a per-sample formulation, plus the facts that hold for all of them."""

import math

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as TF

from snnlab.augments import NDA, Crop, Cutout, Flip, RandomErasing, Roll, Rotate, Shear, SNNAugmentWide

EVENTS = (6, 4, 2, 12, 9)
STATIC = (6, 1, 3, 9, 12)

OPS = {
    "flip": Flip(),
    "roll": Roll(max_pixels=3),
    "crop": Crop(padding=2),
    "rotate": Rotate(degrees=30.0),
    "rotate_bilinear": Rotate(degrees=30.0, interpolation="bilinear"),
    "shear": Shear(degrees=30.0),
    "cutout": Cutout(holes=2, size=4),
    "nda": NDA(roll=2, rotate=20.0, shear=20.0, cutout=3),
    "nda_twice": NDA(roll=2, rotate=20.0, shear=20.0, cutout=3, operations=2),
    "random_erasing": RandomErasing(p=0.8),
    "random_erasing_pixel": RandomErasing(p=0.8, mode="pixel"),
    "snn_augment_wide": SNNAugmentWide(),
}
IDENTITIES = {
    "flip": Flip(p=0.0),
    "roll": Roll(max_pixels=0),
    "crop": Crop(padding=0),
    "rotate": Rotate(degrees=0.0),
    "shear": Shear(degrees=0.0),
    "cutout_no_hole": Cutout(holes=0),
    "cutout_no_size": Cutout(size=0),
    "nda": NDA(roll=0, rotate=0.0, shear=0.0, cutout=0),
    "random_erasing": RandomErasing(p=0.0),
    "snn_augment_wide": SNNAugmentWide(shear=0.0, translate=0.0, rotate=0.0, min_area=0.0, max_area=0.0),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(shape: tuple[int, ...], seed: int = 1) -> torch.Tensor:
    return torch.rand(shape, generator=generator(seed)) + 0.1


def pixels_with_own_value(batch: int, height: int, width: int) -> torch.Tensor:
    """Each pixel holds its own number from 1, so that a move can be read off the result."""
    plane = torch.arange(1.0, height * width + 1).view(1, 1, 1, height, width)
    return plane.expand(batch, 2, 1, height, width).contiguous()


@pytest.mark.parametrize("shape", [EVENTS, STATIC], ids=["events", "static"])
@pytest.mark.parametrize("name", OPS)
class TestEveryOp:
    def test_keeps_shape_dtype_and_the_input(self, name, shape):
        x = images(shape)
        before = x.clone()
        y = OPS[name](x, generator())
        assert y.shape == x.shape
        assert y.dtype == x.dtype
        assert torch.equal(x, before)

    def test_the_generator_decides(self, name, shape):
        x = images(shape).repeat(4, 1, 1, 1, 1)
        op = OPS[name]
        torch.manual_seed(1)
        first = op(x, generator(7))
        torch.manual_seed(2)
        assert torch.equal(op(x, generator(7)), first)
        assert not torch.equal(op(x, generator(8)), first)

    def test_continues_from_a_saved_generator_state(self, name, shape):
        x = images(shape)
        running = generator()
        OPS[name](x, running)
        saved = running.get_state()
        expected = OPS[name](x, running)
        other = torch.Generator()
        other.set_state(saved)
        assert torch.equal(OPS[name](x, other), expected)

    def test_time_steps_share_the_transform(self, name, shape):
        frame = images((shape[0], 1, *shape[2:]))
        y = OPS[name](frame.expand(-1, 5, -1, -1, -1), generator())
        assert torch.equal(y, y[:, :1].expand_as(y))
        assert torch.equal(y[:, :1], OPS[name](frame, generator()))

    def test_samples_differ(self, name, shape):
        x = images((1, *shape[1:])).expand(40, -1, -1, -1, -1)
        y = OPS[name](x, generator())
        assert any(not torch.equal(y[0], other) for other in y[1:])

    def test_takes_any_memory_layout(self, name, shape):
        x = images(shape)
        time_first = x.transpose(0, 1).contiguous().transpose(0, 1)
        assert torch.equal(OPS[name](time_first, generator()), OPS[name](x, generator()))

    def test_a_batch_of_one(self, name, shape):
        assert OPS[name](images((1, *shape[1:])), generator()).shape == (1, *shape[1:])


class CountOps(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.name())
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", OPS)
def test_no_loop_over_samples_and_no_host_read(name):
    counts = []
    for batch in (2, 11):
        x, rng = images((batch, 3, 2, 8, 8)), generator()
        with CountOps() as seen:
            OPS[name](x, rng)
        counts.append(len(seen.names))
        host_reads = ("local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "unique")
        assert not [op for op in seen.names if any(word in op for word in host_reads)]
    assert counts[0] == counts[1]


@pytest.mark.gpu
@pytest.mark.parametrize("name", OPS)
def test_no_host_sync_on_the_gpu(name):
    x = images(EVENTS).cuda()
    rng = torch.Generator("cuda").manual_seed(0)
    OPS[name](x, rng)
    torch.cuda.set_sync_debug_mode("error")
    try:
        y = OPS[name](x, rng)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert y.device == x.device


@pytest.mark.parametrize("shape", [EVENTS, STATIC], ids=["events", "static"])
@pytest.mark.parametrize("name", IDENTITIES)
def test_zero_strength_is_the_identity(name, shape):
    x = images(shape)
    assert torch.equal(IDENTITIES[name](x, generator()), x)


def test_without_a_generator_torch_default_is_used():
    x = images(EVENTS)
    torch.manual_seed(3)
    first = Roll()(x)
    torch.manual_seed(3)
    assert torch.equal(Roll()(x), first)


def test_flip_mirrors_the_chosen_samples_only():
    x = images((4000, 1, 1, 2, 3))
    y = Flip(p=0.3)(x, generator())
    mirrored = (y == torch.from_numpy(x.numpy()[..., ::-1].copy())).flatten(1).all(1)
    kept = (y == x).flatten(1).all(1)
    assert torch.all(mirrored ^ kept)
    assert mirrored.float().mean().item() == pytest.approx(0.3, abs=0.03)
    assert torch.equal(Flip(p=1.0)(x, generator()), x.flip(-1))


def test_roll_is_torch_roll_with_every_offset():
    limit, height, width = 2, 6, 7
    x = pixels_with_own_value(2500, height, width)
    y = Roll(max_pixels=limit)(x, generator())
    origin = (y[:, 0, 0] == 1).flatten(1).float().argmax(1)
    offsets = []
    for before, after, place in zip(x, y, origin.tolist(), strict=True):
        dy, dx = place // width, place % width
        dy, dx = dy - height * (dy > limit), dx - width * (dx > limit)
        assert torch.equal(after, torch.roll(before, (dy, dx), (-2, -1)))
        offsets.append((dy, dx))
    wanted = {(a, b) for a in range(-limit, limit + 1) for b in range(-limit, limit + 1)}
    assert set(offsets) == wanted
    counts = np.array([offsets.count(pair) for pair in wanted])
    assert counts.min() > 60
    assert counts.max() < 145


def test_roll_farther_than_the_image():
    x = pixels_with_own_value(50, 3, 4)
    y = Roll(max_pixels=9)(x, generator())
    assert torch.equal(y.flatten(1).sort(1).values, x.flatten(1).sort(1).values)


def test_crop_is_a_window_of_the_padded_image_at_every_place():
    padding, height, width = 2, 5, 6
    x = pixels_with_own_value(1500, height, width)
    y = Crop(padding=padding)(x, generator())
    padded = np.pad(x[0].numpy(), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    places = range(2 * padding + 1)
    windows = {
        (i, j): torch.from_numpy(padded[..., i : i + height, j : j + width].copy())
        for i in places
        for j in places
    }
    counts = dict.fromkeys(windows, 0)
    for after in y:
        (place,) = [key for key, window in windows.items() if torch.equal(after, window)]
        counts[place] += 1
    assert min(counts.values()) > 30
    assert max(counts.values()) < 100


def smooth_image(batch: int, height: int, width: int) -> torch.Tensor:
    rows = torch.linspace(0, 3, height)[:, None]
    columns = torch.linspace(0, 4, width)[None]
    return (1.5 + torch.sin(rows) * torch.cos(columns)).expand(batch, 2, 1, height, width).contiguous()


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("kind", ["rotate", "shear"])
@pytest.mark.parametrize("size", [(24, 24), (17, 26)])
def test_warps_are_those_of_torchvision(kind, interpolation, size):
    op = {"rotate": Rotate, "shear": Shear}[kind](degrees=40.0, interpolation=interpolation)
    x = smooth_image(12, *size)
    y = op(x, generator(5))
    angles = math.radians(40.0) * (2 * torch.rand(12, generator=generator(5)) - 1) * 180 / math.pi
    mode = InterpolationMode(interpolation)
    for before, after, angle in zip(x, y, angles.tolist(), strict=True):
        if kind == "rotate":
            expected = TF.rotate(before, angle, mode)
        else:
            expected = TF.affine(before, 0.0, [0, 0], 1.0, [angle, 0.0], mode)
        # A nearest pixel may go either way where the source lies half-way between two.
        wrong = ((after - expected).abs() > 1e-4).float().mean().item()
        assert wrong < 0.01
    assert angles.min() < -15
    assert angles.max() > 15


def test_rotation_by_hand():
    """The pixel that was right of the centre moves up when the turn is counterclockwise."""
    x = torch.zeros(400, 1, 1, 9, 9)
    x[..., 4, 7] = 1.0
    y = Rotate(degrees=90.0, interpolation="bilinear")(x, generator(2))[:, 0, 0]
    rows, columns = torch.meshgrid(torch.arange(9.0) - 4, torch.arange(9.0) - 4, indexing="ij")
    mass = y.sum((1, 2))
    centre_y, centre_x = (y * rows).sum((1, 2)) / mass, (y * columns).sum((1, 2)) / mass
    angle = torch.atan2(-centre_y, centre_x) * 180 / math.pi
    expected = 180 * torch.rand(400, generator=generator(2)) - 90
    assert torch.allclose(angle, expected, atol=6.0)


def test_shear_moves_rows_by_the_tangent():
    x = smooth_image(30, 11, 31)
    y = Shear(degrees=45.0, interpolation="bilinear")(x, generator(4))
    slants = np.tan(np.radians(90 * torch.rand(30, generator=generator(4)).numpy() - 45))
    columns = np.arange(31.0)
    for before, after, slant in zip(x.numpy(), y.numpy(), slants, strict=True):
        for row in range(11):
            source = columns + slant * (row - 5)
            inside = (source >= 0) & (source <= 30)
            expected = np.interp(source, columns, before[0, 0, row])
            np.testing.assert_allclose(after[0, 0, row][inside], expected[inside], atol=1e-4)


@pytest.mark.parametrize("size", [1, 3, 4, 40])
def test_cutout_blanks_a_clipped_square_with_any_centre(size):
    height, width = 6, 8
    x = pixels_with_own_value(1500, height, width)
    y = Cutout(size=size)(x, generator())
    seen = set()
    for after in y:
        zero = (after == 0).numpy()
        assert (zero == zero[:1]).all()
        seen.add(zero[0, 0].tobytes())
        assert torch.equal(after[~torch.from_numpy(zero)], x[0][~torch.from_numpy(zero)])
    wanted = set()
    for cy in range(height):
        for cx in range(width):
            hole = np.zeros((height, width), dtype=bool)
            top, left = cy - size // 2, cx - size // 2
            hole[max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = True
            wanted.add(hole.tobytes())
    assert seen == wanted


def test_cutout_with_more_holes_blanks_more():
    x = torch.ones(500, 1, 1, 32, 32)
    blank = [1 - Cutout(holes=holes, size=8)(x, generator()).mean().item() for holes in (1, 2, 3)]
    assert blank[0] < blank[1] < blank[2]


def test_nda_applies_exactly_one_operation():
    """A roll keeps all values, a cutout keeps all places, a rotation does neither."""
    x = pixels_with_own_value(1200, 9, 9)
    y = NDA(roll=3, rotate=60.0, shear=None, cutout=5)(x, generator())
    flat_x, flat_y = x.flatten(1), y.flatten(1)
    in_place = ((flat_y == flat_x) | (flat_y == 0)).all(1)
    unmoved = (flat_y == flat_x).all(1)
    all_values = (flat_y.sort(1).values == flat_x.sort(1).values).all(1)
    cut = in_place & ~unmoved
    rolled = all_values & ~unmoved
    rotated = ~in_place & ~all_values
    shares = [part.float().mean().item() for part in (cut, rolled, rotated)]
    assert shares == pytest.approx([1 / 3, 1 / 3, 1 / 3], abs=0.05)
    assert unmoved.float().mean().item() < 0.06


def test_nda_with_two_operations_draws_each_with_replacement():
    x = pixels_with_own_value(2000, 9, 9)
    y = NDA(roll=3, rotate=None, shear=None, cutout=5, operations=2)(x, generator())
    flat_x, flat_y = x.flatten(1), y.flatten(1)
    cut_only = ((flat_y == flat_x) | (flat_y == 0)).all(1)
    rolled_only = (flat_y.sort(1).values == flat_x.sort(1).values).all(1)
    shares = [part.float().mean().item() for part in (cut_only, rolled_only, ~cut_only & ~rolled_only)]
    assert shares == pytest.approx([1 / 4, 1 / 4, 1 / 2], abs=0.06)
    first = NDA(roll=3, operations=1)
    rng = generator(5)
    assert torch.equal(NDA(roll=3, operations=2)(x, generator(5)), first(first(x, rng), rng))


@pytest.mark.parametrize("only", ["roll", "rotate", "shear", "cutout"])
def test_nda_with_one_choice_is_that_operation(only):
    strengths = {"roll": 3, "rotate": 30.0, "shear": 30.0, "cutout": 4}
    single = {
        "roll": Roll(max_pixels=3),
        "rotate": Rotate(degrees=30.0),
        "shear": Shear(degrees=30.0),
        "cutout": Cutout(size=4),
    }
    chosen = {key: value if key == only else None for key, value in strengths.items()}
    x, rng = images(EVENTS), generator()
    torch.randint(0, 1, (len(x),), generator=rng)
    assert torch.equal(NDA(**chosen)(x, generator()), single[only](x, rng))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Flip(p=1.5),
        lambda: Roll(max_pixels=-1),
        lambda: Crop(padding=-1),
        lambda: Rotate(degrees=-1.0),
        lambda: Rotate(interpolation="cubic"),
        lambda: Shear(degrees=90.0),
        lambda: Cutout(size=-1),
        lambda: NDA(roll=None, rotate=None, shear=None, cutout=None),
    ],
)
def test_bad_parameters_are_refused(build):
    with pytest.raises(ValueError, match="must"):
        build()
