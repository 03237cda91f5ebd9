/** Metrics of Temporal's SDK that panels and rules name, as a worker serves them: the integration test looks for each. */
export const sdkMetrics: readonly string[] = [
  'temporal_activity_schedule_to_start_latency_seconds',
  'temporal_num_pollers',
  'temporal_request_latency_seconds',
  'temporal_worker_task_slots_used',
];

/** Those of the process, by `prom-client`. */
export const processMetrics: readonly string[] = ['process_cpu_seconds_total', 'process_resident_memory_bytes'];
