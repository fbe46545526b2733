// What the gate's reasons for a stop mean to a driver.

export const REASONS = {
  no_command: 'nobody drives',
  no_goal: 'there is no goal',
  e_stop: 'the emergency stop was pressed',
  e_stop_lost: 'the emergency stop is not heard',
  operator_lost: 'the driver was lost',
  command_stale: 'commands come late',
  command_invalid: 'a command made no sense',
  plan_stale: 'the policy is late',
  odometry_stale: 'odometry comes late',
  odometry_slow: 'odometry comes too seldom',
  odometry_invalid: 'odometry makes no sense',
  odometry_jump: 'odometry jumped',
  odometry_frozen: 'odometry stands still',
  camera_stale: 'the camera is late',
  camera_slow: 'the camera is too slow',
  obstacle: 'something is in the way',
  unseen_space: 'it would turn into space nobody has seen',
  obstacles_stale: 'the obstacle sensor is late',
  future_stamp: 'a stamp is from the future',
  clock_jump: 'the clock jumped',
  gate_frozen: 'the gate hung',
  second_publisher: 'another node drives the base',
  shutdown: 'the gate has ended',
};

export const because = (reason) => REASONS[reason] || reason.replaceAll('_', ' ');
