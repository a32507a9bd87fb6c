"""Many images in one picture, by matplotlib."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .drawing import as_batch, draw_bounding_boxes, draw_segmentation_masks

__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def _matplotlib(name: str) -> Any:
    try:
        import matplotlib.pyplot
    except ImportError:
        raise ImportError(
            f"The `{name}` function requires matplotlib: pip install 'kerasish[plot]'"
        ) from None
    return matplotlib


def plot_image_gallery(
    images: Any, y_true: Any = None, y_pred: Any = None, label_map: Any = None, rows: Any = None,
    cols: Any = None, value_range: Any = (0, 255), scale: float = 2, path: Any = None,
    show: Any = None, transparent: bool = True, dpi: int = 60, legend_handles: Any = None,
    data_format: Any = None,
) -> None:  # fmt: skip
    """Images in rows and columns, shown or written to a file.

    Args:
        images: A batch.
        y_true, y_pred: Labels and predictions, one for each image, to stand above.
        label_map: Label to name; needed with these.
        rows, cols: Of the gallery; about a square by default.
        value_range: Least and greatest pixel value.
        scale: Inches of an image.
        path: Of the file; None shows the gallery.
        show: Whether to show it; not with `path`.
        transparent: Whether the background of the file is.
        dpi: Of the file.
        legend_handles: Matplotlib's, for a legend.
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: Arguments that do not go together, or another rank.
        ImportError: Matplotlib is not installed.
    """
    plt = _matplotlib("plot_image_gallery").pyplot
    if path is not None and show:
        raise ValueError("plot_gallery() expects either `path` to be set, or `show` to be true.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError(
            "If `y_true` or `y_pred` are provided, a `label_map` must also be provided."
        )
    images = as_batch(images, data_format).astype("float32")
    low, high = value_range
    images = np.clip((images - low) / (high - low) * 255, 0, 255).astype("uint8")
    rows = rows or math.ceil(math.sqrt(len(images)))
    cols = cols or math.ceil(len(images) / rows)
    figure, axes = plt.subplots(
        nrows=rows, ncols=cols, figsize=(cols * scale, rows * scale), frameon=False,
        layout="tight", squeeze=False, sharex="row", sharey="col",
    )  # fmt: skip
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for i, axis in enumerate(axes.flat):
        axis.margins(x=0, y=0)
        axis.axis("off")
        if i < len(images):
            axis.imshow(images[i])
            title = _title(i, y_true, y_pred, label_map)
            if title:
                axis.set_title(title, fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
        plt.close(figure)
    elif show is None or show:
        plt.show()
        plt.close(figure)


def _title(i: int, y_true: Any, y_pred: Any, label_map: Any) -> str:
    parts = []
    for word, labels in (("Label", y_true), ("Pred", y_pred)):
        if labels is not None and i < len(labels):
            parts.append(f"{word}: {label_map.get(np.asarray(labels)[i].item(), 'Unknown')}")
    return "  ".join(parts)


def plot_bounding_box_gallery(
    images: Any, bounding_box_format: str, y_true: Any = None, y_pred: Any = None,
    value_range: Any = (0, 255), true_color: Any = (0, 188, 212), pred_color: Any = (255, 235, 59),
    line_thickness: int = 2, font_scale: float = 1.0, text_thickness: Any = None,
    class_mapping: Any = None, ground_truth_mapping: Any = None, prediction_mapping: Any = None,
    legend: bool = False, legend_handles: Any = None, rows: Any = None, cols: Any = None,
    data_format: Any = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Images with true and predicted boxes, in rows and columns.

    Args:
        images: A batch.
        bounding_box_format: See `utils.bounding_boxes.convert_format`.
        y_true, y_pred: Dictionaries of boxes; see `draw_bounding_boxes`.
        value_range: Least and greatest pixel value.
        true_color, pred_color: Red, green and blue of each kind.
        line_thickness, font_scale, text_thickness: See `draw_bounding_boxes`.
        class_mapping: Label to name.
        ground_truth_mapping, prediction_mapping: The same for each kind.
        legend: Whether a legend says which color is which.
        legend_handles: Own ones for the legend.
        rows, cols: Of the gallery.
        data_format: "channels_last" or "channels_first".
        **kwargs: For `plot_image_gallery`.

    Raises:
        ValueError: Another rank, or both `legend` and `legend_handles`.
        ImportError: Matplotlib is not installed.
    """
    matplotlib = _matplotlib("plot_bounding_box_gallery")
    images = as_batch(images, data_format)
    low, high = value_range
    drawn = np.clip((images.astype("float32") - low) / (high - low) * 255, 0, 255).astype("uint8")
    kinds = (
        (y_true, true_color, ground_truth_mapping or class_mapping),
        (y_pred, pred_color, prediction_mapping or class_mapping),
    )
    for boxes, color, mapping in kinds:
        if boxes is not None:
            drawn = draw_bounding_boxes(
                drawn, boxes, bounding_box_format, mapping, color, line_thickness, text_thickness,
                font_scale, "channels_last",
            )  # fmt: skip
    if legend:
        if legend_handles:
            raise ValueError(
                "Only pass `legend` OR `legend_handles` to plot_bounding_box_gallery()."
            )
        legend_handles = [
            matplotlib.patches.Patch(color=np.array(color) / 255.0, label=label)
            for color, label in ((true_color, "Ground Truth"), (pred_color, "Prediction"))
        ]
    plot_image_gallery(
        drawn, value_range=(0, 255), legend_handles=legend_handles, rows=rows, cols=cols,
        data_format="channels_last", **kwargs,
    )  # fmt: skip


def plot_segmentation_mask_gallery(
    images: Any, num_classes: int, value_range: Any = (0, 255), y_true: Any = None,
    y_pred: Any = None, color_mapping: Any = None, blend: bool = True, alpha: float = 0.8,
    ignore_index: int = -1, data_format: Any = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Each image in a row, beside it with its true and predicted masks.

    Args:
        images: A batch.
        num_classes: See `draw_segmentation_masks`.
        value_range: Least and greatest pixel value.
        y_true, y_pred: Masks `(batch, height, width, 1)`.
        color_mapping, blend, alpha, ignore_index: See `draw_segmentation_masks`.
        data_format: "channels_last" or "channels_first".
        **kwargs: For `plot_image_gallery`.

    Raises:
        ValueError: Another rank.
        ImportError: Matplotlib is not installed.
    """
    plain = as_batch(images, data_format).astype("float32")
    columns = [plain]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = as_batch(masks, data_format).astype("int32")
            columns.append(
                draw_segmentation_masks(
                    plain, masks, num_classes, color_mapping, alpha, blend, ignore_index,
                    "channels_last",
                )
            )  # fmt: skip
    cells = np.stack(columns, axis=1).reshape(-1, *plain.shape[1:])
    plot_image_gallery(
        cells, value_range=value_range, rows=len(plain), cols=len(columns),
        data_format="channels_last", **kwargs,
    )  # fmt: skip
