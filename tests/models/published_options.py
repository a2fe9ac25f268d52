"""Options of published networks that are not the defaults."""

DVS = {"depth": 2, "dim": 256, "heads": 16, "pools": (1, 2, 3, 4), "projection": "conv", "scale": 0.25}
SPIKINGFORMER_DVS = {"depth": 2, "dim": 256, "heads": 16, "pools": (1, 2, 3, 4)}
HST = {"stem": "imagenet", "depths": (1, 2, 7)}
QKFORMER_DVS = {"stem": "dvs", "depths": (1, 1), "dim": 256, "heads": 16}
META_384 = {"dims": (96, 192, 384, 480)}
META_768 = {"dims": (192, 384, 768, 960)}
FIVE_POOLS = {"pools": (1, 2, 4, 6, 8), "head": "flatten"}
IMAGENET = {"depth": 8, "dim": 512, "heads": 8, "pools": (1, 2, 3, 4), "projection": "conv"}
