import cluster from 'node:cluster'

/** Which worker of its server a process is, from 1, and how many there are, where that is known. */
export interface Workers {
  count?: number
  number: number
}

/** What Node's cluster or PM2 tell of this process; worker threads share one memory and are none. */
export function workers(): Workers | undefined {
  const { NODE_APP_INSTANCE: instance, instances } = process.env
  // PM2 counts its instances from 0, and starts a cluster of its own.
  if (instance !== undefined && /^\d+$/.test(instance)) {
    return { number: Number(instance) + 1, ...(/^[1-9]\d*$/.test(instances ?? '') && { count: Number(instances) }) }
  }
  return cluster.worker && { number: cluster.worker.id }
}
