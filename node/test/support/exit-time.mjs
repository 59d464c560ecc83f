// Says how long the end of a process is held up by what is between the two listeners.
let began

/** To be called before `init`. */
export const measureExit = () => process.on('exit', () => { began = performance.now() })

/** To be called after `init`. */
export const tellExit = () => process.on('exit', () => console.log(`held up for ${Math.round(performance.now() - began)} ms`))

/** Reads what was said. */
export const heldUp = (output) => Number(/held up for (\d+) ms/.exec(output)?.[1] ?? NaN)
