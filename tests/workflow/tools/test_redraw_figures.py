"""Figures of kept rows are those of the rows, as far as the rows have what they show."""

from workflow.tools.redraw_figures import main


def test_figures_are_drawn_whose_rows_are_kept(tmp_path):
    main(["config.yaml"], ["docs/results/data/default-study.csv"], tmp_path, "again-")
    drawn = ("accuracy-cnn", "accuracy-mlp", "queries", "rotation", "translation")
    assert {file.name for file in tmp_path.iterdir()} == {
        f"again-{name}.{end}" for name in drawn for end in ("png", "txt")
    }
    assert "Test accuracy of the targets: 75.9 %." in (tmp_path / "again-accuracy-mlp.txt").read_text()
