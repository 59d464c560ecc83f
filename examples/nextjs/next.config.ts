import { withSurehook } from 'surehook/nextjs'

export default withSurehook({})
