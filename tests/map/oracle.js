// Evaluates lines of {"expression", "document"} with jsonata; the same lines come out as tests/map/evaluate.c writes them.
const jsonata = require(process.cwd() + '/node_modules/jsonata');
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line));
(async () => {
	for (const line of lines) {
		let text;
		try {
			const result = await jsonata(line.expression).evaluate(line.document);
			const json = result === undefined || typeof result === 'function' || result && result._jsonata_lambda ? undefined : JSON.stringify(result);
			text = json === undefined ? 'nothing' : json;
		} catch (e) {
			text = 'error: ' + (e.message || e.code);
		}
		console.log(text.replace(/\n/g, ' '));
	}
})();
