"""Calls the server at argv[1] as tritonclient users do, binary data off."""
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1].removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("m") and client.is_model_ready("m", "1")
assert not client.is_model_ready("other")
assert client.get_server_metadata()["name"] == "dosirak-model-server"
metadata = client.get_model_metadata("m")
assert [i["name"] for i in metadata["inputs"]] == ["x", "name"], metadata


def ask(x, names, outputs=("label", "p")):
    inputs = [triton.InferInput("x", list(x.shape), "FP32"), triton.InferInput("name", list(names.shape), "BYTES")]
    inputs[0].set_data_from_numpy(x, binary_data=False)
    inputs[1].set_data_from_numpy(names, binary_data=False)
    wanted = [triton.InferRequestedOutput(name, binary_data=False) for name in outputs]
    return client.infer("m", inputs, request_id="q-1", outputs=wanted)


x = np.array([[0.1, 0.7], [-1.5, 1e-7], [3, np.nan], [np.inf, 0]], dtype=np.float32)
names = np.array([["a"], ["도시락"], ['"\\'], [""]], dtype=object)
result = ask(x, names)
assert result.get_response()["id"] == "q-1"
with np.errstate(invalid="ignore"):
    one = (x[:, 0] + x[:, 1]) / np.float32(8)
p = result.as_numpy("p")
assert p.dtype == np.float32 and p.shape == (4, 2), p
np.testing.assert_array_equal(p[:, 1], one)
np.testing.assert_array_equal(result.as_numpy("label"), (one > 0.25).astype(np.int64))
assert ask(x, names, ["label"]).as_numpy("p") is None

for spoil, status, text in [
    (lambda: ask(x[:, :1], names), "400", 'input "x"'),
    (lambda: ask(x[:2], names), "400", "rows"),
    (lambda: ask(x, names, ["q"]), "400", 'output "q"'),
    (lambda: client.get_model_metadata("other"), "404", '"m"'),
]:
    try:
        spoil()
    except InferenceServerException as e:
        assert e.status() == status and text in e.message(), e
    else:
        raise AssertionError("no error: " + text)

binary = triton.InferInput("x", [4, 2], "FP32")
binary.set_data_from_numpy(x)
try:
    client.infer("m", [binary])
except InferenceServerException as e:
    assert e.status() == "400" and "binary_data=False" in e.message(), e
else:
    raise AssertionError("binary data was taken")
print("ok")
