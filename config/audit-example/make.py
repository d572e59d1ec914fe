"""Make the example's files, as programs of one's own would: `python config/audit-example/make.py`.

A network learns 300 noisy digits of scikit-learn's by heart. `model.pt` has its weights, and `records.npz` all digits,
with what is known of each: 300 it was trained on, 300 it was not, and of the others nobody says. A forest learns whose
diabetes advances faster than the median, from half of scikit-learn's 442 patients. `forest.joblib` has it, and
`patients.csv` all patients.
"""

import hashlib
from pathlib import Path

import joblib
import numpy as np
import torch
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier
from torch import nn

FOLDER, N = Path(__file__).parent, 300

draw = np.random.default_rng(0)
torch.manual_seed(0)
images, digits = load_digits(return_X_y=True)
pixels = (255 * (images / 16 + 0.3 * draw.standard_normal(images.shape)).clip(0, 1)).astype(np.uint8).reshape(-1, 8, 8)
order, known = draw.permutation(len(digits)), np.full(len(digits), -1, np.int8)
known[order[:N]], known[order[N : 2 * N]] = 1, 0

network = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
inputs, classes = torch.from_numpy(pixels[known == 1] / 255).float(), torch.from_numpy(digits[known == 1])
optimizer = torch.optim.Adam(network.parameters(), 1e-2)
for _ in range(60):
    for rows in torch.randperm(N).split(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs[rows]), classes[rows]).backward()
        optimizer.step()

torch.save(network.state_dict(), FOLDER / "model.pt")
np.savez_compressed(FOLDER / "records.npz", pixels=pixels, digits=digits.astype(np.uint8), in_training=known)

patients = load_diabetes(as_frame=True, scaled=False).frame.astype({"age": int, "sex": int})
patients["progression"] = np.where(patients.pop("target") > 140.5, "faster", "slower")
patients["patient"] = [f"P{number:03d}" for number in range(len(patients))]
patients["in_training"] = draw.permutation(len(patients)) % 2
features, in_training = patients.drop(columns=["progression", "patient", "in_training"]), patients["in_training"] == 1
forest = RandomForestClassifier(50, random_state=0).fit(features[in_training], patients["progression"][in_training])
joblib.dump(forest, FOLDER / "forest.joblib", compress=9)
patients.to_csv(FOLDER / "patients.csv", index=False)
print("trust:", hashlib.sha256((FOLDER / "forest.joblib").read_bytes()).hexdigest())
