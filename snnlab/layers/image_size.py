"""The sizes of images that a network takes whose pools halve them several times."""


class ImageSizeError(ValueError):
    """A size that does not halve as often as the network does.

    Args:
        image_size: height and width.
        network: in words.
        factor: of which the size has to be a multiple.
        published: sizes that the network was published with; empty: not said.
    """

    def __init__(self, image_size: int, network: str, factor: int, published: str = "") -> None:
        known = f" (published: {published})" if published else ""
        super().__init__(
            f"image_size {image_size} does not fit {network}: it must be a multiple of {factor}{known}"
        )
        below = image_size // factor * factor
        self.fitting = tuple(size for size in (below, below + factor) if size)
        """The nearest sizes that fit."""


def check_image_size(image_size: int, network: str, factor: int, published: str = "") -> None:
    """Refuses a size that is no multiple of a factor; the arguments are those of `ImageSizeError`.

    Raises:
        ImageSizeError: it is none.
    """
    if image_size < factor or image_size % factor:
        raise ImageSizeError(image_size, network, factor, published)
