"""The pictures of `lorbms_tf.render` for AugIntAE, drawn of photos and noise."""

from pathlib import Path
from typing import Any

from lorbms_tf.augint.sheet_configs import (
    FewShotConfig,
    InversionConfig,
    ModelsConfig,
    NoiseConfig,
    NoiseCurveConfig,
    PathsConfig,
    PhotosSheetConfig,
)
from lorbms_tf.errors import UserError
from lorbms_tf.training.method import Sheet
from lorbms_tf.training.photo_scores import PhotoScoringConfig

_READ = 2000  # photos among which those of a picture are drawn


def scoring(config: Any, run_dir: str = "") -> PhotoScoringConfig:
    """The settings by which the photos of a sheet are read."""
    return PhotoScoringConfig(
        run_dir=run_dir or config.run_dir, checkpoint=config.checkpoint, photos=config.photos
    )


def _models(config: ModelsConfig) -> dict[str, Any]:
    """`Trained` runs by what a sheet calls them: their objectives, or the runs' own names."""
    from lorbms_tf.augint.trained import Trained

    runs = [Trained(name, config.checkpoint, config.refining_steps) for name in config.run_dirs]
    sizes = {(run.config.image_size, run.config.channels) for run in runs}
    if len(sizes) > 1:
        raise UserError("--others: all runs must be of one --image_size and number of --channels")
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = [Path(name).name for name in config.run_dirs]
    return dict(zip(names, runs, strict=True))


def _draw_paths(config: PathsConfig) -> Any:
    import numpy as np

    from lorbms_tf.augint import judging, sheets
    from lorbms_tf.augint.trained import PIXEL_FADE, PixelFade

    config.validate()
    images, labels = judging.photos(scoring(config), _READ)
    random = np.random.default_rng(config.seed)
    try:
        if config.same_class:
            places = judging.groups(labels, 2, config.rows, random)
        else:
            places = judging.pairs(config.rows, len(images), random)
    except ValueError as error:
        raise UserError(f"--photos: {error}") from error
    start, end = images[places[:, 0]], images[places[:, 1]]
    shares = np.tile(np.linspace(0, 1, config.steps + 2)[1:-1], (len(places), 1))
    models = {PIXEL_FADE: PixelFade()} if config.pixel_fade else {}
    models |= _models(config)
    paths = {name: model.paths(start, end, shares) for name, model in models.items()}
    return sheets.paths_sheet(paths, start, end, config.cell)


def _draw_reconstructions(config: PhotosSheetConfig) -> Any:
    from lorbms_tf.augint import judging, sheets

    config.validate()
    images, _ = judging.photos(scoring(config), config.rows)
    made = {name: model.reconstructions(images) for name, model in _models(config).items()}
    return sheets.columns_sheet({"photo": images, **made}, cell=config.cell)


def _draw_few_shot(config: FewShotConfig) -> Any:
    import numpy as np

    from lorbms_tf.augint import judging, sheets

    config.validate()
    images, labels = judging.photos(scoring(config), 0)
    random, names = np.random.default_rng(config.seed), []
    try:
        places = judging.groups(labels, config.shots, config.rows, random)
    except ValueError as error:
        raise UserError(f"--photos: {error}") from error
    weights = random.dirichlet(np.ones(config.shots), (config.rows, config.samples))
    seeds = images[places]
    repeated = np.repeat(seeds, config.samples, axis=0)
    rows = []
    for name, model in _models(config).items():
        made = model.blends(repeated, weights.reshape(len(repeated), -1))
        rows.append(made.reshape(config.rows, config.samples, *made.shape[1:]))
        names += [name] * config.rows
    return sheets.few_shot_sheet(
        np.concatenate([seeds] * len(rows)), np.concatenate(rows), names, config.cell
    )


def _draw_inversions(config: InversionConfig) -> Any:
    import numpy as np
    import tensorflow as tf

    from lorbms_tf.augint import invert, sheets
    from lorbms_tf.augint.config import AugintConfig
    from lorbms_tf.augint.saved_generator import SavedGenerator
    from lorbms_tf.latent.slerp import unit_norm
    from lorbms_tf.training.photo_data import PhotoData

    config.validate()
    generator = SavedGenerator(config.generator)
    sizes = {"image_size": generator.image_size, "channels": generator.channels}
    data = PhotoData(AugintConfig(eval_photos=config.photos, **sizes))
    images = next(iter(data.held_out(config.rows, config.rows)()))["image"]
    network = generator.inversion_network(config.seed)
    invert.train(
        network,
        generator,
        generator.code_size,
        steps=config.inversion_steps,
        rate=config.inversion_rate,
        unit=config.unit_codes,
        seed=config.seed,
    )
    codes = network(images, training=False)
    codes = unit_norm(codes) if config.unit_codes else codes
    refine = invert.refiner(generator, config.refining_steps, unit=config.unit_codes)
    rows = {"photo": images, "network": generator(codes)}
    rows["refined"] = generator(refine(images, tf.convert_to_tensor(codes)))
    return sheets.columns_sheet(
        {name: np.clip(row, -1, 1) for name, row in rows.items()}, cell=config.cell
    )


def _draw_noise(config: NoiseConfig) -> Any:
    import numpy as np

    from lorbms_tf.augint import sheets
    from lorbms_tf.augint.noise import noise

    config.validate()
    models = _models(config)
    frequencies, size, channels = _noise_kind(config, models)
    images = np.concatenate([noise(f, 1, size, channels, config.seed) for f in frequencies])
    made = {name: model.reconstructions(images) for name, model in models.items()}
    titles = [str(frequency) for frequency in frequencies]
    return sheets.columns_sheet({"noise": images, **made}, titles, config.cell)


def _draw_noise_curve(config: NoiseCurveConfig) -> Any:
    from lorbms_tf.augint import judging, noise, noise_chart
    from lorbms_tf.augint.scores import squared_errors

    config.validate()
    models = _models(config)
    frequencies, size, channels = _noise_kind(config, models)
    curves, novel = {}, {}
    for run_dir, (name, model) in zip(config.run_dirs, models.items(), strict=True):
        curves[name] = noise.errors(
            model.reconstructions, frequencies, config.trials, size, channels, config.seed
        )
        images, _ = judging.photos(scoring(config, run_dir), config.trials)
        novel[name] = float(squared_errors(images, model.reconstructions(images)).mean())
    if config.table:
        noise_chart.write_table(config.table, frequencies, curves, novel)
    return noise_chart.picture(frequencies, curves, novel)


def _noise_kind(config: NoiseConfig, models: dict) -> tuple[tuple[int, ...], int, int]:
    """Frequencies, side and channels. UserError where a frequency is above the images' side."""
    trained = next(iter(models.values())).config
    if max(config.frequencies) > trained.image_size:
        raise UserError(
            f"--frequencies: {max(config.frequencies)} is above the images' side of "
            f"{trained.image_size}"
        )
    return config.frequencies, trained.image_size, trained.channels


SHEETS = {
    "interpolations": Sheet(
        PathsConfig,
        _draw_paths,
        "the ways between pairs of photos, a row a model (figures 5 to 12)",
    ),
    "reconstructions": Sheet(
        PhotosSheetConfig, _draw_reconstructions, "photos above their reconstructions"
    ),
    "noise": Sheet(
        NoiseConfig, _draw_noise, "noise of some frequencies and its reconstructions (figures 2, 3)"
    ),
    "noise_curve": Sheet(
        NoiseCurveConfig,
        _draw_noise_curve,
        "how well noise of each frequency is reconstructed, beside photos (figure 1)",
    ),
    "inversions": Sheet(
        InversionConfig,
        _draw_inversions,
        "photos, and what a generator of --generator makes of the codes found for them",
    ),
    "few_shot": Sheet(
        FewShotConfig, _draw_few_shot, "pictures out of the simplex of some photos of a class"
    ),
}
