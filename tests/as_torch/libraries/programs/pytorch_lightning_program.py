"""lightning: a module that is fitted by the Trainer, its checkpoint loaded again; a callback that prunes."""

import logging
import warnings

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import ModelPruning

warnings.simplefilter("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch, index):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layer(x).squeeze(-1), y)
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


torch.manual_seed(0)
x = torch.randn(64, 4)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1)), batch_size=16, shuffle=True)
quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
trainer = lightning.Trainer(max_epochs=3, **quiet)
model = Model()
trainer.fit(model, data)
print(f"{trainer.callback_metrics['loss']:.5f}", trainer.global_step)
trainer.save_checkpoint("model.ckpt")
print(torch.equal(Model.load_from_checkpoint("model.ckpt").layer.weight, model.layer.weight))
pruned = Model()
lightning.Trainer(max_epochs=2, callbacks=[ModelPruning("l1_unstructured", amount=0.5)], **quiet).fit(pruned, data)
print(pruned.layer.weight.shape, (pruned.layer.weight == 0).sum().item(), list(pruned.state_dict()))
