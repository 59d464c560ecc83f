// The same module for `import`: one implementation, so a process that uses both forms shares its state and its classes.
export * from './testing.js'
