import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

const adapters = ['src/express.ts', 'src/fastify.ts', 'src/nextjs.ts', 'src/advice.ts', 'src/fastify-body.ts', 'src/fastify-reply.ts', 'src/node-headers.ts', 'src/node-request.ts', 'src/node-response.ts', 'src/pg.ts', 'src/prisma.ts', 'src/serverless.ts']

export default tseslint.config(
  { ignores: ['dist/', 'native/', 'native-release/'] },
  eslint.configs.recommended,
  {
    files: ['src/**/*.{ts,mts}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    // Here `require` is meant: the addon, Next.js and OpenTelemetry's API are looked for when they are needed, and may be missing.
    files: ['src/native.ts', 'src/nextjs.ts', 'src/tracing.ts'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // Methods of one response object are kept, and called on that object.
    files: ['src/fastify-reply.ts', 'src/node-response.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    // An adapter knows its framework, and Surehook only by its public API: whatever is about webhooks is in the core.
    files: adapters,
    rules: {
      'max-lines': ['error', 150],
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!node:|fastify$|\\./index$|\\./advice$|\\./fastify-(body|reply)$|\\./node-(headers|request)$|\\./node-response$|\\./web-stream$|\\./nextjs-config$|\\./statements$)' }] },
      ],
    },
  },
  {
    files: ['**/*.mjs'],
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }] },
    languageOptions: { globals: { ...globals(), fetch: 'readonly' } },
  },
)

function globals() {
  const names = ['AbortController', 'Blob', 'Buffer', 'Headers', 'ReadableStream', 'Request', 'Response', 'TextEncoder', 'URL', 'URLSearchParams']
  return Object.fromEntries([...names, 'console', 'performance', 'process', 'setImmediate', 'setInterval', 'setTimeout', 'clearTimeout'].map((name) => [name, 'readonly']))
}
