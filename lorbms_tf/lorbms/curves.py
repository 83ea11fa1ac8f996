"""Which scalars of a run share a chart, and what they are called."""

# A chart each: its title, and the names in it by tag (`lorbms_tf.lorbms.scalars`).
CHARTS = (
    (
        "PSNR of reconstructions, dB (figure 3.9)",
        {
            "psnr/train": "training references",
            "eval/psnr": "held-out references",
            "psnr/interpolation": "between two augmentations (--augint_share)",
        },
    ),
    ("Held-out scores", {"eval/mix_fidelity": "mix fidelity", "eval/ssim": "SSIM"}),
    ("Loss of the generator, L_G", {"loss/generator": "L_G (eq. 3.6)"}),
    (
        "Reconstruction loss",
        {
            "loss/reconstruction": "L_rec (eq. 3.3), two terms",
            "loss/autoencoder": "first steps, as an autoencoder, one term",
            "loss/interpolation": "those between two augmentations",
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
            "share/parts": "classifier of parts",
        },
    ),
    (
        "Parts of chunks: losses of the classifier",
        {
            "loss/parts_generator": "of the generator",
            "loss/part_classifier": "of the classifier",
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
