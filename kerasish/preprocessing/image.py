"""`keras.preprocessing.image`."""

from .. import older as _older
from ..utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

__getattr__ = _older.names(__name__)
