"""Keras 2: sequence to sequence by LSTMs that hand on their states; then decoding step by step."""

import numpy as np
from keras.layers import LSTM, Dense, Input
from keras.models import Model

np.random.seed(3)
SYMBOLS, LENGTH, START = 6, 4, 0
source = np.random.randint(1, SYMBOLS, (800, LENGTH))
target = source[:, ::-1]
one_hot = np.eye(SYMBOLS, dtype="float32")
encoder_data = one_hot[source]
decoder_data = one_hot[np.concatenate([np.full((800, 1), START), target[:, :-1]], axis=1)]

encoder_inputs = Input(shape=(None, SYMBOLS))
encoder_outputs, state_h, state_c = LSTM(48, return_state=True)(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, SYMBOLS))
decoder_lstm = LSTM(48, return_sequences=True, return_state=True, implementation=2)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(SYMBOLS, activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)
model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(optimizer="adam", loss="categorical_crossentropy", sample_weight_mode=None)
model.optimizer.lr = 0.01
model.fit([encoder_data, decoder_data], one_hot[target], batch_size=32, epochs=15, verbose=0)

encoder = Model(encoder_inputs, encoder_states)
given = [Input(shape=(48,)), Input(shape=(48,))]
step, h, c = decoder_lstm(decoder_inputs, initial_state=given)
decoder = Model([decoder_inputs] + given, [decoder_dense(step), h, c])
states = encoder.predict(encoder_data[:100])
token = np.tile(one_hot[START], (100, 1, 1))
decoded = []
for _ in range(LENGTH):
    probabilities, *states = decoder.predict([token] + list(states))
    found = probabilities[:, -1].argmax(axis=-1)
    decoded.append(found)
    token = one_hot[found][:, None]
print("figure", np.mean(np.stack(decoded, axis=1) == target[:100]))
