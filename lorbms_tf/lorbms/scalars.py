"""What a training step tells of itself: scalars from its scene, losses and logits, by name.

Every value is a float32 scalar, a mean over the device's share of the batch, so that the mean over
devices is that of the global batch (but for `diversity/mix`, which compares images within a share).
"""

from keras import ops

from lorbms_tf.lorbms.attribute_parts import PartLoss
from lorbms_tf.lorbms.building import Networks
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.lorbms.objective import GeneratorLoss, Scene
from lorbms_tf.lorbms.signs import DIVERSITY, FAKE, REAL
from lorbms_tf.networks.spectral_norm import SpectralConv2D

PERCEPTUAL = "loss/perceptual"  # before its weight
PARTS = "loss/parts_generator"  # the same


def of_generator(
    scene: Scene, loss: GeneratorLoss, distances, parts: PartLoss | None = None
) -> dict:
    """Losses, PSNR and mixing of a generator update; distances [B, 4]."""
    mask = ops.cast(scene.mask, "float32")  # [B, 4]
    replaced = ops.sum(mask, axis=1)  # [B], one to three
    distance = ops.sum(mask * ops.cast(distances, "float32"), axis=1) / ops.maximum(replaced, 1.0)
    error = ops.cast(scene.reference, "float32") - ops.cast(scene.reconstruction, "float32")
    perceptual = {} if loss.perceptual is None else {PERCEPTUAL: loss.perceptual}
    return {
        "loss/generator": loss.total,
        "loss/reconstruction": loss.reconstruction,
        "loss/adversarial": loss.adversarial,
        "loss/classifier_generator": loss.classifier,
        "mix/replaced_quadrants": ops.mean(replaced),
        "mix/replaced_distance": ops.mean(distance),
        DIVERSITY: diversity(scene.mix, scene.reference),
        "psnr/train": _mean_psnr(error),
        **perceptual,
        **(of_parts(parts) if parts else {}),
    }


def of_parts(loss: PartLoss) -> dict:
    """The losses of mixing parts of chunks, before their weights."""
    return {
        "loss/parts_reconstruction": loss.reconstruction,
        "loss/parts_adversarial": loss.adversarial,
        PARTS: loss.classifier,
    }


def of_autoencoder(images, reconstructions, loss, perceptual=None) -> dict:
    """Losses and PSNR of a step without mixing; images and reconstructions [B, H, W, 3]."""
    logs = {"loss/autoencoder": loss, "psnr/train": _mean_psnr(images - reconstructions)}
    return logs if perceptual is None else {**logs, PERCEPTUAL: perceptual}


def of_interpolation(images, decoded, loss, perceptual=None) -> dict:
    """The same of a step between two augmentations, by names of its own: it is a harder task."""
    logs = {"loss/interpolation": loss, "psnr/interpolation": _mean_psnr(images - decoded)}
    return logs if perceptual is None else {**logs, f"{PERCEPTUAL}_interpolation": perceptual}


def of_discriminator(loss, real_logits, fake_logits) -> dict:
    """The loss, D(real) and D(fake) as probabilities, and the share of patches judged rightly."""
    return {
        "loss/discriminator": loss,
        "probability/real": ops.mean(ops.sigmoid(real_logits)),
        "probability/fake": ops.mean(ops.sigmoid(fake_logits)),
        REAL: ops.mean(ops.cast(real_logits > 0, "float32")),
        FAKE: ops.mean(ops.cast(fake_logits < 0, "float32")),
    }


def of_classifier(loss, logits, labels) -> dict:
    """The loss, and accuracies over all bits, each bit (of all pairs), and whole pairs.

    Logits and labels are [B, 4 pairs, 4 bits], or [B, 1, 4] or [B, 1, 9] of other tasks.
    """
    right = ops.cast(ops.equal(logits > 0, labels > 0.5), "float32")  # [B, 4, 4]
    by_bit = ops.mean(right, axis=(0, 1))  # [4]
    logs = {
        "loss/classifier": loss,
        "accuracy/classifier_bits": ops.mean(right),
        "accuracy/classifier_pairs": ops.mean(ops.min(right, axis=-1)),
    }
    for i in range(labels.shape[-1]):
        logs[f"accuracy/classifier_bit_{i + 1}"] = by_bit[i]
    return logs


def of_part_classifier(loss, logits, labels) -> dict:
    """The loss, and the accuracy of each part; logits and labels [B, 4 quadrants, parts]."""
    right = ops.mean(ops.cast(ops.equal(logits > 0, labels > 0.5), "float32"), axis=(0, 1))
    accuracies = {f"accuracy/part_{i + 1}": right[i] for i in range(labels.shape[-1])}
    return {"loss/part_classifier": loss, **accuracies}


def diversity(images, others):
    """How much the images of a batch differ among each other, against how much others do.

    The mean over pixels of the standard deviation over the batch, of images [B, H, W, 3] divided by
    that of others [B, H, W, 3]: about 1 when healthy, near 0 when all images are alike. 1 where the
    others are alike themselves, as in a batch of one.
    """
    spread, reference = (
        ops.mean(ops.std(ops.cast(x, "float32"), axis=0)) for x in (images, others)
    )
    alike = reference < 1e-6
    return ops.where(alike, 1.0, spread / ops.where(alike, 1.0, reference))


def shares(means: dict[str, float], config: ModelConfig) -> dict[str, float]:
    """The share of each weighted part in the joint loss (equation 3.6); they sum to 1.

    After steps without mixing that of the perceptual part alone, where there is any.
    """
    perceptual = {}
    if PERCEPTUAL in means:
        perceptual["perceptual"] = config.lambda_perceptual * means[PERCEPTUAL]
    if "loss/reconstruction" not in means:
        total = means.get("loss/autoencoder", 0.0)
        return {
            f"share/{name}": part / total if total else 0.0 for name, part in perceptual.items()
        }
    parts = {
        "reconstruction": config.lambda_rec * means["loss/reconstruction"],
        "adversarial": config.lambda_adv * means["loss/adversarial"],
        "classifier": config.lambda_cls * means["loss/classifier_generator"],
        **perceptual,
    }
    if PARTS in means:
        parts["parts"] = config.lambda_parts * means[PARTS]
        parts["reconstruction"] += config.lambda_rec * means["loss/parts_reconstruction"]
        parts["adversarial"] += config.lambda_adv * means["loss/parts_adversarial"]
    total = sum(parts.values())
    return {f"share/{name}": part / total if total else 0.0 for name, part in parts.items()}


def spectral_sigmas(networks: Networks) -> dict:
    """Mean and largest sigma of the spectrally normalised layers of each network that has any."""
    logs = {}
    for name, network in networks._asdict().items():
        layers = [x for x in network._flatten_layers() if isinstance(x, SpectralConv2D)]
        if layers:
            sigmas = ops.stack([layer.sigma() for layer in layers])
            logs[f"sigma/{name}_mean"] = ops.mean(sigmas)
            logs[f"sigma/{name}_max"] = ops.max(sigmas)
    return logs


def _mean_psnr(error):
    """Mean over images of the PSNR of errors [B, H, W, 3] on a range of [-1, 1] (peak 2)."""
    squared = ops.mean(ops.square(error), axis=(1, 2, 3))  # [B]
    return ops.mean(10.0 * ops.log(4.0 / ops.maximum(squared, 1e-10)) / ops.log(10.0))
