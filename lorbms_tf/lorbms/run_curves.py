"""The section on a run's curves: which scalars share a chart, and what they are called."""

from collections.abc import Mapping, Sequence

import numpy as np

from lorbms_tf.pages import charts, formats, html

Scalars = Mapping[str, tuple[np.ndarray, np.ndarray]]  # tag -> steps, values
TITLE = "Curves"

# A chart each: its title, and the tags in it with their names.
_CHARTS = (
    (
        "PSNR of reconstructions, dB (figure 3.9)",
        {"psnr/train": "training references", "eval/psnr": "held-out references"},
    ),
    ("Held-out scores", {"eval/mix_fidelity": "mix fidelity", "eval/ssim": "SSIM"}),
    ("Loss of the generator, L_G", {"loss/generator": "L_G (eq. 3.6)"}),
    (
        "Reconstruction loss",
        {
            "loss/reconstruction": "L_rec (eq. 3.3), two terms",
            "loss/autoencoder": "first steps, as an autoencoder, one term",
        },
    ),
    (
        "Adversarial losses",
        {
            "loss/adversarial": "generator (eq. 3.4)",
            "loss/discriminator": "discriminator (eq. 3.9)",
        },
    ),
    (
        "Classifier losses",
        {
            "loss/classifier_generator": "of the generator (eq. 3.5)",
            "loss/classifier": "of the classifier (eq. 3.5)",
        },
    ),
    (
        "Weighted shares of L_G",
        {
            "share/reconstruction": "reconstruction",
            "share/adversarial": "adversarial",
            "share/classifier": "classifier",
        },
    ),
    (
        "Discriminator: accuracy, and what it says",
        {
            "accuracy/discriminator_real": "right on photos",
            "accuracy/discriminator_fake": "right on mixes",
            "probability/real": "D(photo)",
            "probability/fake": "D(mix)",
        },
    ),
    (
        "Classifier: accuracy",
        {
            "accuracy/classifier_bits": "bits",
            "accuracy/classifier_pairs": "whole pairs",
        },
    ),
    (
        "Classifier: accuracy by bit",
        {f"accuracy/classifier_bit_{n}": f"bit {n}" for n in (1, 2, 3, 4)},
    ),
    (
        "Learning rates",
        {f"learning_rate/{name}": name for name in ("generator", "discriminator", "classifier")},
    ),
    (
        "Gradient norms",
        {
            f"gradient_norm/{name}": name
            for name in ("encoder", "decoder", "discriminator", "classifier")
        },
    ),
    ("Replaced quadrants in a mix", {"mix/replaced_quadrants": "mean number"}),
    ("Diversity of the mixes", {"diversity/mix": "of that of the references"}),
    ("Speed", {"speed/images_per_second": "reference images a second"}),
)
COLOURS = ("a", "b", "c", "d", "e")
_NOT_SHOWN = ("progress/",)


def section(scalars: Scalars, mixing_begins: int = 0) -> str:
    """All scalars of a run; those that have no chart above get one each, on request.

    mixing_begins: the last step as a plain autoencoder; 0 where there was none.
    """
    if not scalars:
        missing = "The run directory holds no TensorBoard event files, so there are no curves."
        return html.section(TITLE, "", html.paragraph(missing, "soft"))
    last = max(int(steps[-1]) for steps, _ in scalars.values())
    mark = ("mixing begins", mixing_begins) if 0 < mixing_begins < last else None
    grouped = [
        (title, {tag: name for tag, name in names.items() if tag in scalars})
        for title, names in _CHARTS
    ]
    shown = {tag for _, names in grouped for tag in names}
    others = [
        (tag, {tag: tag})
        for tag in sorted(scalars)
        if tag not in shown and not tag.startswith(_NOT_SHOWN)
    ]
    note = (
        "Means of neighbouring steps, from TensorBoard's event files; behind each name the last "
        "value. Peaks far beyond all else are cut at the top."
    )
    panels = [_panel(title, names, scalars, last, mark) for title, names in grouped if names]
    more = [_panel(title, names, scalars, last, mark) for title, names in others]
    rest = html.details(f"{len(more)} more", _two(more)) if more else ""
    return html.section(TITLE, note, _two(panels), rest)


def _two(panels: list[str]) -> str:
    return f'<div class="two">{"".join(panels)}</div>'


def _panel(
    title: str, names: Mapping[str, str], scalars: Scalars, last: int, mark: tuple | None
) -> str:
    lines = [
        charts.Curve(name, colour, *scalars[tag])
        for colour, (tag, name) in zip(COLOURS, names.items(), strict=False)
    ]
    return panel(title, lines, last, mark)


def panel(
    title: str, lines: Sequence[charts.Curve], last: int, mark: tuple[str, int] | None = None
) -> str:
    """A chart (`charts.curves`) with its title, and a legend with the last values."""
    legend = html.legend(
        [(line.colour, f"{line.name} · {formats.short(line.values[-1])}", True) for line in lines]
    )
    svg = charts.svg_text(charts.curves(lines, last, mark), title)
    return f"<div>{html.heading(title)}{legend}{svg}</div>"
